//! `consign report`: what was recorded, in text, JSON, CSV, Markdown or HTML.

mod compliance;
mod dashboard;
mod evidence;
mod health;
mod inventory;
mod lineage;
mod performance;
mod period;
mod ropa;
mod run;
mod subject;

use std::path::PathBuf;

use clap::Subcommand;

use super::context::{Context, now_ns};
use super::moment;
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
    Performance(performance::Performance),
    Health(health::Health),
    Lineage(lineage::Lineage),
    Inventory(inventory::Inventory),
    Dashboard(dashboard::Dashboard),
    Compliance(compliance::Compliance),
    Evidence(evidence::Evidence),
    Ropa(ropa::Ropa),
    Subject(subject::Subject),
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
            Verb::Performance(verb) => verb.run(context),
            Verb::Health(verb) => verb.run(context),
            Verb::Lineage(verb) => verb.run(context),
            Verb::Inventory(verb) => verb.run(context),
            Verb::Dashboard(verb) => verb.run(context),
            Verb::Compliance(verb) => verb.run(context),
            Verb::Evidence(verb) => verb.run(context),
            Verb::Ropa(verb) => verb.run(context),
            Verb::Subject(verb) => verb.run(context),
        }
    }
}

/// A length of time in nanoseconds.
fn nanoseconds(text: &str) -> Result<i64> {
    let length = moment::length(text)?;
    if length.is_zero() {
        return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, format!("`{text}` is no time at all")));
    }
    Ok(i64::try_from(length.as_nanos()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4))
}

/// The moment that stands for now: what was given, else the clock's, to the second.
fn at(text: Option<&str>) -> Result<i64> {
    let now = now_ns();
    match text {
        Some(text) => moment::past(text, now),
        None => Ok(now - now.rem_euclid(1_000_000_000)),
    }
}

/// Nothing was run yet.
fn no_run() -> Error {
    Error::new(Kind::Invalid, &codes::cli::NO_STATE, "no run was recorded yet")
}
