//! `consign report inventory`: systems, streams, fields, data classes.

use super::super::context::Context;
use super::Whereto;
use crate::error::{Exit, Result};
use crate::report::inventory;

/// Systems, streams and fields with their data classes, and who uses them
#[derive(clap::Args, Debug)]
pub(super) struct Inventory {
    #[command(flatten)]
    whereto: Whereto,
}

impl Inventory {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let store = context.store_read(&project)?;
        let report = inventory::gather(&project, &mappings, store.as_ref())?;
        context.ui.report(&report, &self.whereto)?;
        Ok(Exit::Done)
    }
}
