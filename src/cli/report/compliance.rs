//! `consign report compliance`: what a period shows of each control.

use super::super::context::Context;
use super::Whereto;
use super::period::{Period, exit, record};
use crate::error::{Exit, Result};
use crate::report;

/// What a period shows of each control of the standards in force
#[derive(clap::Args, Debug)]
pub(super) struct Compliance {
    #[command(flatten)]
    period: Period,
    #[command(flatten)]
    whereto: Whereto,
}

impl Compliance {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        self.period.look(context, |store, asked| {
            let report = report::compliance::gather(store, asked)?;
            context.ui.report(&report, &self.whereto)?;
            record(store, &report)?;
            Ok(exit(asked))
        })
    }
}
