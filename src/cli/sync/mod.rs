//! `consign sync`: routes are run, and what became of them is looked at.

mod approve;
mod dlq;
mod enable;
mod history;
mod plan;
mod run;
mod show;
mod state;
mod status;
mod unlock;

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use super::moment;
use crate::config::{Mapping, named};
use crate::connect::protocols::Window;
use crate::error::{Exit, Result};
use crate::store::RunRow;

/// Routes: run them, see how they stand, look at dead letters and state
#[derive(clap::Args, Debug)]
pub(super) struct Sync {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Run(run::Run),
    Plan(plan::Plan),
    Approve(approve::Approve),
    Status(status::Status),
    History(history::History),
    Show(show::Show),
    Enable(enable::Enable),
    Disable(enable::Disable),
    Dlq(dlq::Dlq),
    State(state::State),
    Unlock(unlock::Unlock),
}

impl Sync {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::Run(verb) => verb.run(context),
            Verb::Plan(verb) => verb.run(context),
            Verb::Approve(verb) => verb.run(context),
            Verb::Status(verb) => verb.run(context),
            Verb::History(verb) => verb.run(context),
            Verb::Show(verb) => verb.run(context),
            Verb::Enable(verb) => verb.run(context),
            Verb::Disable(verb) => verb.run(context),
            Verb::Dlq(verb) => verb.run(context),
            Verb::State(verb) => verb.run(context),
            Verb::Unlock(verb) => verb.run(context),
        }
    }
}

/// The columns of a run in a list.
const RUN_COLUMNS: &[&str] = &[
    "run",
    "route",
    "state",
    "exit",
    "started",
    "duration_s",
    "cause",
    "read",
    "written",
    "deleted",
    "filtered",
    "rejected",
];

/// A run in a list.
fn run_row(run: &RunRow) -> Vec<Value> {
    let seconds = run.ended_ns.map(|end| round3((end - run.started_ns) as f64 / 1e9));
    vec![
        json!(run.id),
        json!(run.route),
        json!(run.state.word()),
        json!(run.exit),
        json!(moment::shown(run.started_ns)),
        json!(seconds),
        json!(run.cause),
        json!(run.totals.read),
        json!(run.totals.written),
        json!(run.totals.deleted),
        json!(run.totals.filtered),
        json!(run.totals.rejected),
    ]
}

/// To the thousandth.
fn round3(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// The bounds that were asked for, if any were.
fn window(since: Option<&str>, until: Option<&str>) -> Option<Window> {
    let asked = since.is_some() || until.is_some();
    asked.then(|| Window { since: since.map(str::to_owned), until: until.map(str::to_owned) })
}

/// The mapping of that name; a name that is none is refused.
fn known<'m>(name: &str, mappings: &'m [Mapping]) -> Result<&'m Mapping> {
    named(mappings, name)
}
