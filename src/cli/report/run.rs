//! `consign report run`: what one run did.

use super::super::context::Context;
use super::{Whereto, no_run};
use crate::error::{Exit, Result};
use crate::report;

/// What one run did: counts, rejects, proof
#[derive(clap::Args, Debug)]
pub(super) struct Run {
    /// The run's id or the beginning of it; the newest run unless given
    run: Option<String>,
    #[command(flatten)]
    whereto: Whereto,
}

impl Run {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let store = context.store_must(&project)?;
        let report = report::run::gather(&store, self.run.as_deref())?.ok_or_else(no_run)?;
        context.ui.report(&report, &self.whereto)?;
        Ok(Exit::Done)
    }
}
