//! `consign audit prune`: removes what retention no longer keeps; what is left still verifies.

use serde_json::json;

use crate::audit::Category;
use crate::cli::context::{Context, who};
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::{count, grouped};
use crate::comply::standards;
use crate::config::Project;
use crate::error::codes::audit::NO_RETENTION;
use crate::error::{Error, Exit, Kind, Result};
use crate::store::{Authority, Retention};

/// Removes the oldest events, as far as retention allows; the rest still verifies
#[derive(clap::Args, Debug)]
pub(super) struct Prune {
    /// Events older than this, as in `400d`; without it what the configuration says
    #[arg(long, value_name = "AGE")]
    older_than: Option<String>,
    /// Only says what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Who allowed it
    #[arg(long, value_name = "NAME", required_unless_present = "dry_run")]
    approver: Option<String>,
    /// Why
    #[arg(long, default_value = "retention")]
    reason: String,
}

impl Prune {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let mut retention = retention(&project);
        if let Some(text) = &self.older_than {
            let days = moment::length(text)?.as_secs() / 86_400;
            retention.days = Some(u32::try_from(days).unwrap_or(u32::MAX));
        }
        let said = retention.days.is_some() || !retention.by_category.is_empty();
        if !said && retention.most_events.is_none() && retention.most_bytes.is_none() {
            return Err(Error::new(Kind::Invalid, &NO_RETENTION, "nothing says how long events are kept")
                .hint("say it: `audit: { retention: 400d }`, AUDIT_RETENTION_DAYS, or `--older-than 400d`"));
        }
        let found = context.store_must(&project)?.prunable(&retention)?;
        let events = if found.last > 0 { found.last + 1 - found.first } else { 0 };
        let will = if self.dry_run { "would be" } else { "are" };
        let mut text = String::new();
        if events > 0 {
            let range = format!("{} to {}", grouped(found.first), grouped(found.last));
            text.push_str(&format!("{} {will} removed: {range}\n", count(events, "event", "events")));
        }
        if !found.redact.is_empty() {
            let bodies = count(found.redact.len() as u64, "body", "bodies");
            text.push_str(&format!("{bodies} {will} removed beyond, of categories that are kept for less\n"));
        }
        if text.is_empty() {
            text.push_str("nothing is to be removed\n");
        }
        for why in &found.kept_by {
            text.push_str(&format!("  more is kept: {why}\n"));
        }
        if !self.dry_run && (events > 0 || !found.redact.is_empty()) {
            let by = Authority {
                actor: who(),
                approver: self.approver.unwrap_or_default(),
                reason: self.reason,
                policy: policy(&retention),
            };
            context.store(&project)?.prune(&found, &by)?;
        }
        let answer = Answer::new()
            .fact("removed", json!(events))
            .fact("first", json!(found.first))
            .fact("last", json!(found.last))
            .fact("redacted", json!(found.redact.len()))
            .fact("kept_by", json!(found.kept_by))
            .fact("dry_run", json!(self.dry_run));
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}

/// How long this project keeps events: what it says, and never less than its standards ask for.
fn retention(project: &Project) -> Retention {
    let audit = &project.audit;
    let mut made = Retention {
        days: audit.retention_days,
        by_category: audit.keep.iter().filter_map(|(word, days)| Some((Category::of(word)?, *days))).collect(),
        most_events: audit.max_events,
        most_bytes: audit.max_megabytes.map(|megabytes| megabytes.saturating_mul(1_000_000)),
        ..Retention::default()
    };
    if audit.standards {
        let of_connectors = project.connectors.values().flat_map(|connector| &connector.standards);
        for standard in project.compliance.standards.iter().chain(of_connectors) {
            let Some(found) = standards::named(standard) else { continue };
            let Some(keeps) = &found.keeps else { continue };
            if keeps.days > made.least_days {
                (made.least_days, made.why) = (keeps.days, vec![found.cite(&keeps.control)]);
            }
        }
    }
    made
}

fn policy(retention: &Retention) -> String {
    let mut said = Vec::new();
    said.extend(retention.days.map(|days| format!("{days} days")));
    said.extend(retention.by_category.iter().map(|(category, days)| format!("{category} {days} days")));
    said.extend(retention.most_events.map(|most| format!("{most} events")));
    said.extend(retention.most_bytes.map(|most| format!("{most} bytes")));
    if retention.least_days > 0 {
        said.push(format!("never less than {} days by {}", retention.least_days, retention.why.join(", ")));
    }
    said.join("; ")
}
