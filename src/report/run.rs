//! The report of one run: what was asked, what was done, what was rejected and why, and how it
//! can be proved.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::audit::Event;
use crate::error::Result;
use crate::store::{EventFilter, RejectReason, RunFilter, RunRow, Store};

/// The report, ready to take a shape.
pub struct Report {
    run: RunRow,
    reasons: Vec<RejectReason>,
    /// The mapping as it was when it ran.
    mapping: Value,
    events: Vec<Event>,
    log: String,
}

/// Gathers what was recorded of a run; `None`: the newest one.
///
/// # Errors
/// There is no such run, or the state cannot be read.
pub fn gather(store: &Store, id: Option<&str>) -> Result<Option<Report>> {
    let run = match id {
        Some(id) => store.run(id)?,
        None => match store.runs(&RunFilter { limit: 1, ..RunFilter::default() })?.pop() {
            Some(run) => run,
            None => return Ok(None),
        },
    };
    let reasons = store.reject_reasons(&run.id)?;
    let text = store.config(&run.mapping)?;
    let mapping = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut events = store.audit_events(&EventFilter { run: Some(run.id.clone()), ..EventFilter::default() })?;
    events.reverse();
    Ok(Some(Report { run, reasons, mapping, events, log: store.audit_log_id().to_string() }))
}

/// A run as JSON.
pub fn run_json(run: &RunRow) -> Value {
    json!({
        "id": run.id,
        "route": run.route,
        "state": run.state.word(),
        "exit": run.exit,
        "started": moment(run.started_ns),
        "ended": run.ended_ns.map(moment),
        "due": run.due_ns.map(moment),
        "cause": run.cause,
        "flags": run.flags,
        "actor": run.actor,
        "origin": run.origin,
        "tenant": run.tenant,
        "project": run.project,
        "mapping": run.mapping,
        "groups": run.groups,
        "totals": run.totals,
        "error": run.error.as_ref().map(|(code, cause)| json!({ "code": code, "cause": cause })),
        "warnings": run.warnings,
    })
}

/// A reason as JSON.
pub fn reason_json(reason: &RejectReason) -> Value {
    json!({
        "code": reason.code,
        "field": reason.field,
        "records": reason.records,
        "cause": reason.cause,
        "first": { "source": reason.source, "line": reason.line },
    })
}

/// A reason in one line.
pub fn reason(reason: &RejectReason) -> String {
    let field = reason.field.as_ref().map_or_else(String::new, |f| format!("{f}: "));
    format!("{} × {field}{} (first at {}:{})", reason.records, reason.cause, reason.source, reason.line)
}

impl Report {
    /// The document's body.
    pub fn json(&self) -> Value {
        let events: Vec<Value> = self
            .events
            .iter()
            .map(|e| json!({ "seq": e.seq, "id": e.id, "time": moment(e.time), "action": e.action, "outcome": e.outcome.word() }))
            .collect();
        json!({
            "run": run_json(&self.run),
            "route": { "from": self.mapping["from"], "to": self.mapping["to"], "sync": self.mapping["sync"] },
            "reasons": self.reasons.iter().map(reason_json).collect::<Vec<_>>(),
            "audit": { "log": self.log, "events": events },
        })
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut out = format!("Run {}\n", self.run.id);
        for (title, rows) in self.sections() {
            let _ = write!(out, "\n{title}\n");
            let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            for (name, value) in rows {
                let _ = writeln!(out, "  {name:width$}  {value}");
            }
        }
        out
    }

    /// For a ticket or a wiki.
    pub fn markdown(&self) -> String {
        let mut out = format!("# Run {}\n", self.run.id);
        for (title, rows) in self.sections() {
            let _ = write!(out, "\n## {title}\n\n| | |\n|---|---|\n");
            for (name, value) in rows {
                let _ = writeln!(out, "| {} | {} |", cell(&name), cell(&value));
            }
        }
        out
    }

    /// The same content in every shape: titles with names and values.
    fn sections(&self) -> Vec<(&'static str, Vec<(String, String)>)> {
        let run = &self.run;
        let row = |name: &str, value: String| (name.to_string(), value);
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToString::to_string);
        let mut what = vec![
            row("route", run.route.clone()),
            row("from", word(&self.mapping["from"])),
            row("to", word(&self.mapping["to"])),
            row("mode", word(&self.mapping["sync"]["mode"])),
            row("cause", std::iter::once(&run.cause).chain(&run.flags).cloned().collect::<Vec<_>>().join(", ")),
        ];
        for (name, value) in [("actor", &run.actor), ("origin", &run.origin), ("tenant", &run.tenant)] {
            what.extend(value.as_ref().map(|value| row(name, value.clone())));
        }
        let exit = run.exit.map_or_else(String::new, |exit| format!(", exit {exit}"));
        let mut how = vec![row("state", format!("{}{exit}", run.state.word())), row("started", moment(run.started_ns))];
        if let Some(end) = run.ended_ns {
            how.push(row("ended", moment(end)));
            let seconds = (end - run.started_ns) as f64 / 1e9;
            how.push(row("duration", format!("{seconds:.3} s")));
            if seconds > 0.0 {
                how.push(row("rate", format!("{:.0} records/s", run.totals.read as f64 / seconds)));
            }
        }
        if let Some((code, cause)) = &run.error {
            how.push(row("error", format!("{cause} ({code})")));
        }
        how.extend(run.warnings.iter().map(|warning| row("said", warning.clone())));
        let t = &run.totals;
        let counts = [
            ("read", t.read),
            ("mapped", t.mapped),
            ("filtered", t.filtered),
            ("rejected", t.rejected),
            ("withheld", t.withheld),
            ("produced", t.produced),
            ("superseded", t.superseded),
            ("written", t.written),
            ("unchanged", t.unchanged),
            ("unmatched", t.unmatched),
            ("deleted", t.deleted),
            ("refused", t.refused),
            ("in doubt", t.in_doubt),
            ("bytes read", t.bytes_read),
            ("bytes written", t.bytes_written),
        ];
        // Modes that do not delete or look for their record say nothing of it.
        let told = |(name, count): &(&str, u64)| *count > 0 || !matches!(*name, "unmatched" | "deleted");
        let mut counts: Vec<_> =
            counts.into_iter().filter(told).map(|(name, count)| row(name, count.to_string())).collect();
        counts.push(row("count laws", t.check().map_or_else(|law| format!("broken: {law}"), |()| "hold".into())));
        let mut rejects: Vec<_> = self.reasons.iter().map(|r| row(&r.code, reason(r))).collect();
        if rejects.is_empty() {
            rejects.push(row("none", "no record was rejected".into()));
        }
        let mut proof = vec![
            row("audit log", self.log.clone()),
            row("events", self.events.len().to_string()),
            row("groups settled", run.groups.to_string()),
            row("project", run.project.clone()),
            row("mapping", run.mapping.clone()),
        ];
        if let (Some(first), Some(last)) = (self.events.first(), self.events.last()) {
            proof.push(row("first event", format!("{} {} {}", first.seq, first.action, first.id)));
            proof.push(row("last event", format!("{} {} {}", last.seq, last.action, last.id)));
        }
        vec![
            ("What was asked", what),
            ("How it went", how),
            ("Counts", counts),
            ("Rejected", rejects),
            ("Proof", proof),
        ]
    }
}

/// Text in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

/// Nanoseconds since 1970 as RFC 3339 in UTC.
fn moment(nanoseconds: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(nanoseconds))
        .map_or_else(|_| nanoseconds.to_string(), |m| format!("{m:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_break_its_table() {
        assert_eq!(cell("a|b\n<i>\\"), "a\\|b &lt;i>\\\\");
    }
}
