//! `consign report ropa`: the record of processing activities.

use super::super::context::{Context, now_ns};
use super::Whereto;
use crate::comply::Subject;
use crate::comply::facts::Facts;
use crate::error::{Exit, Result};
use crate::report;
use crate::sync::check as checks;

/// The record of processing activities (GDPR Art. 30), as far as routes and connectors declare it
#[derive(clap::Args, Debug)]
pub(super) struct Ropa {
    #[command(flatten)]
    whereto: Whereto,
}

impl Ropa {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let mut loaded = context.load(&context.find()?);
        let checked = checks::check(&mut loaded, false);
        let (project, mappings) = loaded.sound()?;
        let facts = Facts::default();
        let routes = checked.iter().map(|one| one.route.as_ref());
        let report = report::ropa::gather(&Subject::new(&project, &mappings, routes, &facts, now_ns()));
        context.ui.report(&report, &self.whereto)?;
        Ok(Exit::Done)
    }
}
