//! `consign audit subject KEY`: what happened to the data of one person or item, where it went and when.

use std::io::Read as _;

use serde_json::json;

use crate::audit::{Action, Event};
use crate::cli::context::Context;
use crate::cli::moment;
use crate::cli::output::text::{count, shown};
use crate::cli::output::{Answer, Rows};
use crate::config::Mapping;
use crate::error::{Error, Exit, Kind, Result, codes};

/// What happened to the data of one person or item
#[derive(clap::Args, Debug)]
pub(super) struct Subject {
    /// The key that it is known by, a part for each field of the key; `-` reads it from standard input, `@FILE` from a
    /// file, so that it stays out of the history of the shell
    #[arg(required = true)]
    key: Vec<String>,
    /// How many events at most, the newest first; 0 for all
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
}

impl Subject {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let parts = self.key.iter().map(|part| given(part)).collect::<Result<Vec<_>>>()?;
        let key: Vec<&str> = parts.iter().map(String::as_str).collect();
        let store = context.store_must(&project)?;
        let Some((pseudonym, events)) = store.subject_events(&key, self.limit)? else {
            let why =
                if project.audit.items { "" } else { "; runs keep account of records with `audit: { items: true }`" };
            let text = format!("the log knows nothing of it under this key{why}\n");
            context.ui.answer(Answer::new().fact("known", json!(false)).text(text))?;
            return Ok(Exit::Done);
        };
        drop(store);
        let columns = ["seq", "time", "action", "outcome", "route", "from", "to", "resource", "reason", "actor", "run"];
        let mut rows = Rows::new("events", &columns);
        let mut text = format!("{pseudonym}: {}\n", count(events.len() as u64, "event", "events"));
        for event in &events {
            let (from, to) = ends(&mappings, event);
            text.push_str(&format!(
                "  {}  {:<18} {:<8}",
                moment::shown(event.time),
                event.action,
                event.outcome.word()
            ));
            if let (Some(from), Some(to)) = (&from, &to) {
                text.push_str(&format!("  {from} -> {to}"));
            }
            for told in [&event.resource, &event.reason].into_iter().flatten() {
                text.push_str(&format!("  {}", shown(told)));
            }
            text.push('\n');
            rows.push(vec![
                json!(event.seq),
                json!(moment::shown(event.time)),
                json!(event.action),
                json!(event.outcome.word()),
                json!(event.route),
                json!(from),
                json!(to),
                json!(event.resource),
                json!(event.reason),
                json!(event.actor),
                json!(event.run),
            ]);
        }
        context.viewed(&project, Action::SubjectViewed, &pseudonym, events.len())?;
        let answer = Answer::new().fact("known", json!(true)).fact("pseudonym", json!(pseudonym));
        context.ui.answer(answer.rows(rows).text(text))?;
        Ok(Exit::Done)
    }
}

/// Where data of an event came from and went to, as the mapping of its route says today.
fn ends(mappings: &[Mapping], event: &Event) -> (Option<String>, Option<String>) {
    let mapping = event.route.as_ref().and_then(|route| mappings.iter().find(|mapping| mapping.name.value == *route));
    let end = |of: &crate::config::StreamRef| format!("{}.{}", of.connector, of.stream);
    mapping.map(|mapping| (end(&mapping.from), end(&mapping.to))).unzip()
}

/// A key as it was given, or as standard input or a file has it.
pub(in crate::cli) fn given(text: &str) -> Result<String> {
    let read = match text {
        "-" => {
            let mut read = String::new();
            std::io::stdin().read_to_string(&mut read).map_err(|e| Error::io("reading standard input", e))?;
            read
        }
        _ => match text.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path).map_err(|e| Error::io(format!("reading `{path}`"), e))?,
            None => return Ok(text.to_string()),
        },
    };
    let key = read.trim_end_matches(['\r', '\n']);
    if key.is_empty() {
        return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, "the key is empty"));
    }
    Ok(key.to_string())
}
