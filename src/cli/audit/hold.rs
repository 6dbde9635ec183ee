//! `consign audit hold`: legal holds, which keep everything from a moment on.

use clap::Subcommand;
use serde_json::json;

use crate::cli::context::{Context, now_ns, who};
use crate::cli::moment;
use crate::cli::output::{Answer, Rows};
use crate::error::{Exit, Result};

/// Legal holds: nothing from a moment on is removed
#[derive(clap::Args, Debug)]
pub(super) struct Hold {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Lists the holds that stand
    List,
    /// Places a hold
    Place {
        /// Its name
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// From when on: a date, a moment, or `36h`; everything unless given
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
    },
    /// Releases a hold
    Release {
        /// Its name
        name: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

impl Hold {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        match self.verb {
            Verb::List => {
                let mut rows = Rows::new("holds", &["name", "from", "reason", "actor", "placed"]);
                for hold in context.store_must(&project)?.holds()? {
                    rows.push(vec![
                        json!(hold.name),
                        json!(moment::shown(hold.from_ns)),
                        json!(hold.reason),
                        json!(hold.actor),
                        json!(moment::shown(hold.placed_ns)),
                    ]);
                }
                let mut answer = Answer::new();
                if rows.rows.is_empty() {
                    answer = answer.text("no legal hold stands\n");
                }
                context.ui.answer(answer.rows(rows))?;
            }
            Verb::Place { name, reason, from } => {
                let from_ns = from.map_or(Ok(0), |text| moment::past(&text, now_ns()))?;
                context.store(&project)?.place_hold(&name, from_ns, &reason, who())?;
                let text =
                    format!("nothing from {} on is removed until `{name}` is released\n", moment::shown(from_ns));
                context.ui.answer(Answer::new().fact("name", json!(name)).text(text))?;
            }
            Verb::Release { name, reason } => {
                context.store(&project)?.release_hold(&name, &reason, who())?;
                context.ui.answer(Answer::new().fact("name", json!(name)).text(format!("`{name}` is released\n")))?;
            }
        }
        Ok(Exit::Done)
    }
}
