//! `consign report`: what was recorded, in text, JSON or Markdown.

use clap::Subcommand;
use serde_json::Value;

use super::context::Context;
use super::output::Answer;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::report;

/// Reports, made from what was recorded
#[derive(clap::Args, Debug)]
pub(super) struct Report {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// What one run did: counts, rejects, proof
    Run {
        /// The run's id or the beginning of it; the newest run unless given
        run: Option<String>,
    },
}

impl Report {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let Verb::Run { run } = self.verb;
        let (project, _) = context.project()?;
        let store = context.store_must(&project)?;
        let Some(made) = report::run::gather(&store, run.as_deref())? else {
            return Err(Error::new(Kind::Invalid, &codes::cli::NO_STATE, "no run was recorded yet"));
        };
        let mut answer = Answer::new();
        if let Value::Object(members) = made.json() {
            for name in ["run", "route", "reasons", "audit"] {
                answer = answer.fact(name, members.get(name).cloned().unwrap_or_default());
            }
        }
        answer.markdown = Some(made.markdown());
        context.ui.answer(answer.text(made.text()))?;
        Ok(Exit::Done)
    }
}
