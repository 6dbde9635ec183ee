//! `consign report evidence`: what shows how one control stood, in an archive that others verify.

use std::path::PathBuf;

use super::super::context::{Context, who};
use super::Whereto;
use super::period::{Period, exit, record};
use crate::error::{Exit, Result};
use crate::report;
use crate::store::folder::replace_file_as;

/// Everything that shows how one control stood in a period, in an archive that a stranger verifies offline
#[derive(clap::Args, Debug)]
pub(super) struct Evidence {
    /// The control (`3.5.1`, `pci_dss/3.5.1`), or a check (`P17`)
    #[arg(long, value_name = "ID")]
    control: String,
    /// The archive to write
    #[arg(long, value_name = "FILE")]
    zip: Option<PathBuf>,
    /// How many events are drawn and proved
    #[arg(long, value_name = "N", default_value_t = 25)]
    sample: usize,
    #[command(flatten)]
    period: Period,
    #[command(flatten)]
    whereto: Whereto,
}

impl Evidence {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        self.period.look(context, |store, asked| {
            let evidence = report::evidence::gather(store, asked, &self.control, self.sample, who())?;
            if let Some(path) = &self.zip {
                replace_file_as(path, &evidence.archive, 0o644)?;
                context
                    .ui
                    .note(&format!("the evidence is in {}; README.txt in it says how it is verified", path.display()));
            }
            context.ui.report(&evidence.report, &self.whereto)?;
            record(store, &evidence.report)?;
            Ok(exit(asked))
        })
    }
}
