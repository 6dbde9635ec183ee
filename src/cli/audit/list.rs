//! `consign audit list`: events, the newest first.

use serde_json::json;

use crate::audit::{Category, Level};
use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::{Answer, Rows};
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::store::EventFilter;

/// Lists events, the newest first
#[derive(clap::Args, Debug)]
pub(super) struct List {
    /// Only this action, or those that begin with it (`run`)
    #[arg(long)]
    action: Option<String>,
    /// Only this level or above (debug, info, warning, error, critical)
    #[arg(long)]
    level: Option<String>,
    /// Only this category
    #[arg(long)]
    category: Option<String>,
    /// Only of this run
    #[arg(long)]
    run: Option<String>,
    /// Only of this route
    #[arg(long)]
    route: Option<String>,
    /// Only since then: a date, a moment, or `36h`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only before then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

impl List {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let filter = EventFilter {
            action: self.action,
            level: self.level.map(|word| level(&word)).transpose()?,
            category: self
                .category
                .map(|word| {
                    let words: Vec<&str> = Category::ALL.iter().map(|c| c.word()).collect();
                    Category::of(&word).ok_or_else(|| unknown("category", &word, &words))
                })
                .transpose()?,
            run: self.run,
            route: self.route,
            since_ns: self.since.map(|text| moment::past(&text, now_ns())).transpose()?,
            until_ns: self.until.map(|text| moment::past(&text, now_ns())).transpose()?,
            limit: self.limit,
        };
        let columns =
            ["seq", "time", "level", "category", "action", "outcome", "route", "run", "resource", "actor", "id"];
        let mut rows = Rows::new("events", &columns);
        for event in context.store_must(&project)?.audit_events(&filter)? {
            rows.push(vec![
                json!(event.seq),
                json!(moment::shown(event.time)),
                json!(event.level.word()),
                json!(event.category.word()),
                json!(event.action),
                json!(event.outcome.word()),
                json!(event.route),
                json!(event.run),
                json!(event.resource),
                json!(event.actor),
                json!(event.id),
            ]);
        }
        let mut answer = Answer::new();
        if rows.rows.is_empty() {
            answer = answer.text("no event matches\n");
        }
        context.ui.answer(answer.rows(rows))?;
        Ok(Exit::Done)
    }
}

/// Reads the word of a level.
pub(super) fn level(word: &str) -> Result<Level> {
    let words: Vec<&str> = Level::ALL.iter().map(|l| l.word()).collect();
    Level::of(word).ok_or_else(|| unknown("level", word, &words))
}

fn unknown(what: &str, word: &str, words: &[&str]) -> Error {
    Error::new(Kind::Invalid, &codes::cli::USAGE, format!("there is no {what} `{word}`"))
        .hint(format!("choose one of {}", words.join(", ")))
}
