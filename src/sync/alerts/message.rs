//! What is told: the same for everybody, before it has the form of the place it goes to.

use serde_json::{Map, Value, json};

use crate::audit::event::CUSTOM;
use crate::audit::risk::Bands;
use crate::audit::{Action, Event, Level};
use crate::config::{Alert, Project};
use crate::error::codes;

/// Counts that are told where an event has them.
const COUNTS: &[&str] =
    &["read", "written", "rejected", "withheld", "refused", "in_doubt", "milliseconds", "limit", "count", "threshold"];

/// What is told of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The same for the same event and place, whatever the try.
    pub id: String,
    /// How grave it is.
    pub level: Level,
    /// The time, nanoseconds since 1970.
    pub time_ns: i64,
    /// One line.
    pub summary: String,
    /// What it came from.
    pub source: String,
    /// The route, if it is one's.
    pub route: Option<String>,
    /// The action.
    pub action: String,
    /// All of it.
    pub document: Value,
}

impl Message {
    /// Of an event.
    pub fn of(project: &Project, to: &Alert, event: &Event, why: &str, log: &str) -> Self {
        let [low, medium, high, critical] = project.audit.risk;
        let bands = Bands { low, medium, high, critical };
        let own = !event.action.starts_with(CUSTOM) && event.action != Action::AuditNote.word();
        // Reasons may hold what another system or a script wrote; a code has a text of ours.
        let code = event.details.get("code").and_then(Value::as_str);
        let title = code.and_then(|code| codes::all().find(|known| known.id == code)).map(|code| code.title);
        let rule = event.details.get("rule").and_then(Value::as_str);
        let mut counts = Map::new();
        for name in COUNTS.iter().filter(|_| own) {
            if let Some(number @ Value::Number(_)) = event.details.get(*name) {
                counts.insert((*name).to_string(), number.clone());
            }
        }
        let what = event.route.as_deref().or(event.resource.as_deref().filter(|_| own)).unwrap_or("consign");
        let mut summary =
            format!("[{}] {what}: {} {} ({})", project.environment, event.action, event.outcome, event.level);
        for told in [title.map(str::to_string), rule.map(|rule| format!("rule {rule}"))].into_iter().flatten() {
            summary.push_str(&format!(", {told}"));
        }
        for name in ["rejected", "withheld"] {
            if let Some(number) = counts.get(name) {
                summary.push_str(&format!(", {number} {name}"));
            }
        }
        if event.risk >= bands.low {
            summary.push_str(&format!(", risk {} ({})", event.risk, bands.word(event.risk)));
        }
        let document = json!({
            "schema": "consign.alert/1", "alert": to.name, "why": why, "summary": summary,
            "event": {
                "log": log, "seq": event.seq, "id": event.id, "time": rfc3339(event.time), "level": event.level.word(),
                "category": event.category.word(), "action": event.action, "outcome": event.outcome.word(),
                "route": event.route, "run": event.run, "resource": event.resource.as_ref().filter(|_| own),
                "actor": event.actor, "host": event.host, "environment": project.environment, "risk": event.risk,
                "risk_band": bands.word(event.risk), "code": code, "title": title, "rule": rule, "counts": counts,
            },
            "next": format!("consign audit show {}", event.seq),
        });
        Self {
            id: format!("{}-{}", event.id, to.name),
            level: event.level,
            time_ns: event.time,
            summary,
            source: event.host.clone().unwrap_or_else(|| "consign".into()),
            route: event.route.clone(),
            action: event.action.clone(),
            document,
        }
    }

    /// That the log does not verify.
    pub fn integrity(project: &Project, to: &Alert, what: &str) -> Self {
        let summary = format!("[{}] consign: the audit log does not verify: {what}", project.environment);
        let document = json!({
            "schema": "consign.alert/1", "alert": to.name, "why": "integrity", "summary": summary,
            "next": "keep a copy of the state folder as it is, then: consign audit verify",
        });
        let action = Action::VerificationFailed.word().to_string();
        Self { level: Level::Critical, summary, action, document, ..Self::test(project, to) }
    }

    /// A test: that it gets there.
    pub fn test(project: &Project, to: &Alert) -> Self {
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(0);
        let summary = format!("[{}] consign: this is a test of the alert `{}`", project.environment, to.name);
        Self {
            id: format!("test-{now}-{}", to.name),
            level: Level::Info,
            time_ns: now,
            source: "consign".into(),
            route: None,
            action: "alert.test".into(),
            document: json!({ "schema": "consign.alert/1", "alert": to.name, "why": "test", "summary": summary }),
            summary,
        }
    }
}

/// Nanoseconds since 1970 as RFC 3339 in UTC.
pub(super) fn rfc3339(ns: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |moment| format!("{moment:.3}"))
}
