//! `consign audit show ID`: one event, whole.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::{outline, shown};
use crate::error::{Exit, Result};

/// Shows one event
#[derive(clap::Args, Debug)]
pub(super) struct Show {
    /// Its number, or its id or the beginning of it
    id: String,
}

impl Show {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let event = context.store_must(&project)?.audit_event(&self.id)?;
        let mut text = format!("event {} ({})\n", event.seq, event.id);
        let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<9} {}\n", shown(value)));
        line("time", &moment::shown(event.time));
        line("action", &format!("{} ({})", event.action, event.category.word()));
        line("level", event.level.word());
        line("outcome", event.outcome.word());
        for (name, value) in [
            ("reason", &event.reason),
            ("resource", &event.resource),
            ("route", &event.route),
            ("run", &event.run),
            ("actor", &event.actor),
            ("origin", &event.origin),
            ("tenant", &event.tenant),
            ("config", &event.config),
        ] {
            if let Some(value) = value {
                line(name, value);
            }
        }
        if event.risk > 0.0 {
            line("risk", &event.risk.to_string());
        }
        let details = serde_json::Value::Object(event.details.clone());
        if !event.details.is_empty() {
            text.push_str(&format!("  details\n{}", outline(&details, 2)));
        }
        let answer = Answer::new()
            .fact("seq", json!(event.seq))
            .fact("id", json!(event.id))
            .fact("time", json!(moment::shown(event.time)))
            .fact("action", json!(event.action))
            .fact("category", json!(event.category.word()))
            .fact("level", json!(event.level.word()))
            .fact("outcome", json!(event.outcome.word()))
            .fact("reason", json!(event.reason))
            .fact("resource", json!(event.resource))
            .fact("route", json!(event.route))
            .fact("run", json!(event.run))
            .fact("actor", json!(event.actor))
            .fact("origin", json!(event.origin))
            .fact("tenant", json!(event.tenant))
            .fact("config", json!(event.config))
            .fact("risk", json!(event.risk))
            .fact("details", details);
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}
