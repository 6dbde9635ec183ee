//! `consign report`: what was recorded, in text, JSON, CSV, Markdown or HTML.

mod run;

use std::path::PathBuf;

use clap::Subcommand;

use super::context::Context;
use crate::error::{Error, Exit, Kind, Result, codes};

/// Reports, made from what was recorded
#[derive(clap::Args, Debug)]
pub(super) struct Report {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Run(run::Run),
}

/// Where a report goes: what every report understands.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Of every report")]
pub(super) struct Whereto {
    /// Writes the report to a file, whole or not at all; without `-o` its shape is what the name ends in:
    /// .html, .md, .json, .csv, .txt
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Only that table, as CSV with a head line; the message about an unknown name lists them
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
}

impl Report {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::Run(verb) => verb.run(context),
        }
    }
}

/// Nothing was run yet.
fn no_run() -> Error {
    Error::new(Kind::Invalid, &codes::cli::NO_STATE, "no run was recorded yet")
}
