//! `consign audit show ID`: one event, whole.

use serde_json::json;

use crate::audit::risk::Bands;
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
            ("host", &event.host),
            ("address", &event.ip),
            ("for", &event.on_behalf_of),
            ("tenant", &event.tenant),
            ("tool", &event.tool),
            ("config", &event.config),
        ] {
            if let Some(value) = value {
                line(name, value);
            }
        }
        if let Some(ci) = &event.ci {
            let run = ci.run.as_deref().unwrap_or("unknown");
            line("ci", &format!("{} run {run}, as it claims", ci.system));
        }
        if !event.classes.is_empty() {
            line("classes", &event.classes.join(", "));
        }
        if !event.subjects.is_empty() {
            line("subjects", &event.subjects.join(", "));
        }
        for check in &event.checks {
            line("check", &format!("{} {}", check.id, check.status));
        }
        let risk = &project.audit.risk;
        let bands = Bands { low: risk[0], medium: risk[1], high: risk[2], critical: risk[3] };
        line("risk", &format!("{} ({})", event.risk, bands.word(event.risk)));
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
            .fact("details", details)
            .fact("event", serde_json::to_value(&event).unwrap_or_default());
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}
