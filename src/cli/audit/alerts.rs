//! `consign audit alerts`: what waits to be told, told now, and whether those who are told can be reached.

use clap::Subcommand;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::moment;
use crate::cli::output::text::count;
use crate::cli::output::{Answer, Rows};
use crate::error::{Exit, Result};
use crate::sync::alerts;

/// Who is told of what happens: what waits, and whether it gets there
#[derive(clap::Args, Debug)]
pub(super) struct Alerts {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Lists the alerts that wait to be sent
    List,
    /// Sends what waits; every command that records does so at its end
    Send,
    /// Sends a test now
    Test {
        /// To whom; to everybody unless given
        names: Vec<String>,
    },
}

impl Alerts {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        match self.verb {
            Verb::List => {
                let mut rows = Rows::new("alerts", &["to", "why", "event", "action", "tries", "due"]);
                for alert in context.store_must(&project)?.alerts()? {
                    rows.push(vec![
                        json!(alert.place),
                        json!(alert.why),
                        json!(alert.event.as_ref().map(|event| event.seq)),
                        json!(alert.event.as_ref().map(|event| event.action.clone())),
                        json!(alert.tries),
                        json!(moment::shown(alert.due_ns)),
                    ]);
                }
                let mut answer = Answer::new();
                if rows.rows.is_empty() {
                    answer = answer.text("no alert waits\n");
                }
                context.ui.answer(answer.rows(rows))?;
                Ok(Exit::Done)
            }
            Verb::Send => {
                let mut store = context.store(&project)?;
                let (sent, failed) = alerts::send(&project, &mut store, true)?;
                context.told();
                let text = format!("{} sent, {} failed\n", count(sent, "alert", "alerts"), failed.len());
                context
                    .ui
                    .answer(Answer::new().fact("sent", json!(sent)).fact("failed", json!(failed.len())).text(text))?;
                let mut exit = Exit::Done;
                for error in failed {
                    exit = exit.worst(error.exit());
                    context.ui.talk_error(&error);
                }
                Ok(exit)
            }
            Verb::Test { names } => {
                let mut rows = Rows::new("tests", &["to", "by", "ok", "what"]);
                let mut exit = Exit::Done;
                for (name, by, ended) in alerts::test(&project, &names)? {
                    let what = ended.as_ref().err().map(|error| error.cause().to_string());
                    rows.push(vec![json!(name), json!(by), json!(ended.is_ok()), json!(what)]);
                    if let Err(error) = ended {
                        exit = exit.worst(error.exit());
                    }
                }
                context.ui.answer(Answer::new().rows(rows))?;
                Ok(exit)
            }
        }
    }
}
