//! The report of one run: what was asked, what was done, what was rejected and why, and how it
//! can be proved.

use serde_json::{Value, json};

use super::document::{Cell, Kind, Remark, Report, Section, Tone, fact, named};
use super::provenance::Provenance;
use super::shape::{cell, moment};
use crate::error::Result;
use crate::store::{EventFilter, RejectReason, RulingRow, RunFilter, RunRow, RunState, Store};

/// The report of a run.
pub static KIND: Kind = Kind { name: "run", about: "what one run did: counts, rejects, proof", version: 1 };

/// Gathers what was recorded of a run; no `id`: of the newest one. `None`: there is none.
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
    let rulings = store.rulings(&run.id)?;
    let text = store.config(&run.mapping)?;
    let mapping: Value = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut events = store.audit_events(&EventFilter { run: Some(run.id.clone()), ..EventFilter::default() })?;
    events.reverse();

    let mut provenance = Provenance::of(store, "the run, its reject reasons, its events, its kept configuration")?
        .parameter("run", Cell::Code(run.id.clone()))
        .count("events", events.len() as u64)
        .count("reject_reasons", reasons.len() as u64);
    events.iter().for_each(|event| provenance.saw(event.seq));
    provenance.configuration =
        vec![("project".to_string(), run.project.clone()), ("mapping".to_string(), run.mapping.clone())];

    let told: Vec<Value> = events
        .iter()
        .map(|e| json!({ "seq": e.seq, "id": e.id, "time": moment(e.time), "action": e.action, "outcome": e.outcome.word() }))
        .collect();
    let (tone, lead) = summary(&run);
    let mut report = Report::new(&KIND, format!("Run {}", run.id), provenance).lead(tone, lead);
    report.data = vec![
        ("run", run_json(&run)),
        ("route", json!({ "from": mapping["from"], "to": mapping["to"], "sync": mapping["sync"] })),
        ("reasons", reasons.iter().map(reason_json).collect()),
        ("rulings", rulings.iter().map(ruling_json).collect()),
        ("audit", json!({ "log": store.audit_log_id(), "events": told })),
    ];
    report.push(asked(&run, &mapping));
    report.push(went(&run));
    report.push(counts(&run));
    report.push(Section::new("rejected", "Rejected").remarks("reasons", rejects(&reasons), "No record was rejected."));
    if !rulings.is_empty() {
        let told = |of: &RulingRow| {
            let tone = if of.act == "withheld" { Tone::Plain } else { Tone::Warn };
            Remark::new(tone, format!("{}: {} × {}", of.act, of.records, of.told)).code(of.code.clone())
        };
        let remarks = rulings.iter().map(told).collect();
        report.push(Section::new("rulings", "What compliance rules did").remarks("rulings", remarks, ""));
    }
    let mut proof = vec![named("groups", "groups settled", run.groups)];
    for (key, label, event) in
        [("first_event", "first event", events.first()), ("last_event", "last event", events.last())]
    {
        if let Some(event) = event {
            let at = event.clone();
            proof.push(named(key, label, Cell::Code(format!("{} {} {}", at.seq, at.action, at.id))));
        }
    }
    proof.push(named("verify", "verified by", Cell::Code("consign audit verify".to_string())));
    report.push(Section::new("proof", "Proof").facts("facts", proof));
    Ok(Some(report))
}

/// How a run ended, as a tone.
pub fn tone(state: RunState) -> Tone {
    match state {
        RunState::Done => Tone::Good,
        RunState::Running => Tone::Plain,
        RunState::Partial | RunState::Interrupted => Tone::Warn,
        RunState::Failed | RunState::Died => Tone::Bad,
    }
}

fn summary(run: &RunRow) -> (Tone, String) {
    let t = &run.totals;
    let aside = t.rejected + t.refused + t.in_doubt;
    let tone = match tone(run.state) {
        Tone::Good if aside > 0 => Tone::Warn,
        tone => tone,
    };
    let count = |count: u64| cell(&Cell::Count(count));
    let gone = if aside > 0 { format!(", {} did not make it", count(aside)) } else { String::new() };
    let state = match run.state {
        RunState::Running => "is under way",
        RunState::Done => "is done",
        RunState::Partial => "ended, not whole",
        RunState::Failed => "failed",
        RunState::Interrupted => "was interrupted",
        RunState::Died => "died",
    };
    (tone, format!("`{}` {state}: {} records read, {} written{gone}.", run.route, count(t.read), count(t.written)))
}

fn asked(run: &RunRow, mapping: &Value) -> Section {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToString::to_string);
    let mut facts = vec![
        fact("route", Cell::Code(run.route.clone())),
        fact("from", word(&mapping["from"])),
        fact("to", word(&mapping["to"])),
        fact("mode", word(&mapping["sync"]["mode"])),
        fact("cause", std::iter::once(&run.cause).chain(&run.flags).cloned().collect::<Vec<_>>().join(", ")),
    ];
    for (name, value) in [("actor", &run.actor), ("origin", &run.origin), ("tenant", &run.tenant)] {
        facts.extend(value.as_ref().map(|value| fact(name, value.clone())));
    }
    Section::new("asked", "What was asked").facts("facts", facts)
}

fn went(run: &RunRow) -> Section {
    let exit = run.exit.map_or_else(String::new, |exit| format!(", exit {exit}"));
    let state = Cell::State(tone(run.state), format!("{}{exit}", run.state.word()).into());
    let mut facts = vec![fact("state", state), fact("started", Cell::Moment(run.started_ns))];
    if let Some(end) = run.ended_ns {
        facts.push(fact("ended", Cell::Moment(end)));
        facts.push(named("duration_seconds", "duration", Cell::Time(end - run.started_ns)));
        let seconds = (end - run.started_ns) as f64 / 1e9;
        if seconds > 0.0 {
            let rate = (run.totals.read as f64 / seconds).round();
            facts.push(named("records_per_second", "rate", Cell::Number(rate, "records/s")));
        }
    }
    if let Some((code, cause)) = &run.error {
        facts.push(fact("error", format!("{cause} ({code})")));
    }
    let section = Section::new("went", "How it went").facts("facts", facts);
    if run.warnings.is_empty() {
        return section;
    }
    let warnings = run.warnings.iter().map(|warning| Remark::new(Tone::Warn, warning.clone())).collect();
    section.remarks("warnings", warnings, "")
}

fn counts(run: &RunRow) -> Section {
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
        ("in_doubt", t.in_doubt),
    ];
    // Modes that do not delete or look for their record say nothing of it.
    let told = |(name, count): &(&str, u64)| *count > 0 || !matches!(*name, "unmatched" | "deleted");
    let mut facts: Vec<_> = counts.into_iter().filter(told).map(|(name, count)| fact(name, count)).collect();
    facts.push(fact("bytes_read", Cell::Bytes(t.bytes_read)));
    facts.push(fact("bytes_written", Cell::Bytes(t.bytes_written)));
    let laws = t.check().map_or_else(
        |law| Cell::State(Tone::Bad, format!("broken: {law}").into()),
        |()| Cell::State(Tone::Good, "hold".into()),
    );
    facts.push(fact("count_laws", laws));
    Section::new("counts", "Counts").facts("facts", facts)
}

fn rejects(reasons: &[RejectReason]) -> Vec<Remark> {
    reasons.iter().map(|of| Remark::new(Tone::Warn, reason(of)).code(of.code.clone())).collect()
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

/// What a rule did, as JSON.
fn ruling_json(of: &RulingRow) -> Value {
    json!({
        "act": of.act,
        "code": of.code,
        "rule": of.rule,
        "field": of.field,
        "class": of.class,
        "records": of.records,
        "told": of.told,
    })
}

/// A reason in one line.
pub fn reason(reason: &RejectReason) -> String {
    let field = reason.field.as_ref().map_or_else(String::new, |f| format!("{f}: "));
    format!("{} × {field}{} (first at {}:{})", reason.records, reason.cause, reason.source, reason.line)
}
