//! `consign report dashboard`: one page with everything.

use super::super::context::Context;
use super::{Whereto, at, nanoseconds};
use crate::error::{Exit, Result};
use crate::report::dashboard;
use crate::report::health::Asked;
use crate::store::folder::Folder;
use crate::sync::check;

/// One page: health, runs, volumes, errors, response times, risk, open findings, integrity, schedules
#[derive(clap::Args, Debug)]
pub(super) struct Dashboard {
    /// How far back it goes
    #[arg(long, value_name = "TIME", default_value = "7d")]
    period: String,
    /// The moment that is looked at, as `2025-01-31T12:00:00Z`; now unless given
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    #[command(flatten)]
    whereto: Whereto,
}

impl Dashboard {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let mut loaded = context.load(&context.find()?);
        check::check(&mut loaded, false);
        let findings = std::mem::take(&mut loaded.findings);
        let (project, mappings) = context.project()?;
        let asked = Asked { at_ns: at(self.at.as_deref())?, period_ns: nanoseconds(&self.period)? };
        let store = context.store_must(&project)?;
        let folder = Folder::at(&context.state_folder(&project));
        let report = dashboard::gather(&project, &mappings, &store, &folder, &findings, &asked)?;
        context.ui.report(&report, &self.whereto)?;
        Ok(Exit::Done)
    }
}
