//! `consign audit why RECORD`: why a record was rejected, withheld or refused, in one place: its dead letter, the
//! gate or rule that kept it back, the run, what else the run said of compliance, and what can be done.

use serde_json::{Value, json};

use crate::audit::{Category, Event};
use crate::cli::context::Context;
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::shown;
use crate::comply::rules::Rule;
use crate::config::Mapping;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::store::{EventFilter, Found, Letter, LetterFilter, LetterState, Store, WithheldRow};
use crate::sync::key_of;

/// How many of a record's dead letters are told of.
const MOST: usize = 5;

/// Why a record was rejected, withheld or refused
#[derive(clap::Args, Debug)]
pub(super) struct Why {
    /// The record: the id of its dead letter or the beginning of it, `FILE:LINE` where it stands, or its key (`-` and
    /// `@FILE` read the key from there); or the id of a run that was refused
    record: String,
}

impl Why {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let store = context.store_must(&project)?;
        let record = super::subject::given(&self.record)?;
        let letters = find(&store, &record)?;
        let rules = crate::comply::rules::of(&project, &mappings).0;
        let mut text = String::new();
        let mut found: Vec<Value> = Vec::new();
        for letter in &letters {
            let events = of_run(&store, letter)?;
            found.push(told(letter, &rules, &mappings, &events, &mut text));
        }
        for one in withheld(&store, &record)? {
            found.push(kept_back(&one, &rules, &mappings, &mut text));
        }
        if found.is_empty() {
            let refused = refusals(&store, &record)?;
            if refused.is_empty() {
                let known = store.subject_events(&[&record], 1)?.is_some();
                let cause = if known {
                    "nothing stopped this record: it was delivered, see `consign audit subject`"
                } else {
                    "no record of this id, place or key was rejected, withheld or refused"
                };
                return Err(Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause)
                    .hint("`consign sync dlq list` lists what was set aside, `consign audit list --category compliance` what was refused"));
            }
            for event in &refused {
                let reason = event.reason.as_deref().unwrap_or("no reason was given");
                text.push_str(&format!(
                    "{}  {} {}\n  {}\n",
                    moment::shown(event.time),
                    event.action,
                    event.route.as_deref().unwrap_or(""),
                    shown(reason)
                ));
                found.push(serde_json::to_value(event).unwrap_or_default());
            }
        }
        context.ui.answer(Answer::new().fact("found", json!(found)).text(text))?;
        Ok(Exit::Done)
    }
}

/// Where a record was kept back last, by its key or by where it stands.
fn withheld(store: &Store, record: &str) -> Result<Vec<WithheldRow>> {
    let mut rows = store.withheld(key_of(store.record_secret(), record))?;
    rows.truncate(MOST);
    Ok(rows)
}

/// Why a record was kept back, which rule or gate it was, and what would let it go on.
fn kept_back(one: &WithheldRow, known: &[Rule], mappings: &[Mapping], text: &mut String) -> Value {
    text.push_str(&format!("the record was withheld from {}: nothing of it is kept\n", one.route));
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<9} {}\n", shown(value)));
    let code = codes::all().find(|code| code.id == one.code);
    line("code", &format!("{}: {}", one.code, code.map_or("", |code| code.title)));
    let mapping = mappings.iter().find(|mapping| mapping.name.value == one.route);
    let rule = |name: &str| {
        let held = mapping.and_then(|mapping| mapping.withholds.iter().find(|held| held.rule == name));
        let rule = known.iter().find(|rule| rule.name == name);
        (name.to_owned(), held.map(|held| held.told.clone()), rule.and_then(place_of))
    };
    let rules: Vec<_> = one.rule.as_deref().unwrap_or_default().lines().map(rule).collect();
    for (name, told, at) in &rules {
        line("rule", told.as_deref().unwrap_or(name));
        line("at", at.as_deref().unwrap_or("it is no longer in force"));
    }
    if let (Some(mapping), true) = (mapping, rules.is_empty()) {
        line("at", &format!("`compliance:` of {}", mapping.file));
    }
    line("when", &moment::shown(one.at_ns));
    line("run", &one.run);
    line("record", &format!("number {} of its slice", one.record));
    line("next", "once the reason is gone, the next run that reads the record takes it along");
    json!({
        "kind": "withheld", "route": one.route, "run": one.run, "code": one.code,
        "explain": code.map(|code| code.explain), "rule": rules.first().map(|(name, ..)| name),
        "told": rules.first().and_then(|(_, told, _)| told.clone()), "place": rules.first().and_then(|(.., at)| at.clone()),
        "rules": rules.iter().map(|(name, ..)| name).collect::<Vec<_>>(),
        "record": one.record, "withheld": moment::shown(one.at_ns),
    })
}

/// Where a rule is written; those that are shipped are in no file of the project.
fn place_of(rule: &Rule) -> Option<String> {
    rule.place.as_ref().map(|place| format!("{}:{}", place.file, place.line))
}

/// The dead letters of a record, the newest first.
fn find(store: &Store, record: &str) -> Result<Vec<Letter>> {
    // The shortest beginning of an id that is no number of an item by chance.
    let ids = if record.len() >= 8 { vec![record.to_string()] } else { vec!["-".repeat(36)] };
    let by_id = LetterFilter { ids, limit: MOST, ..LetterFilter::default() };
    // What is no beginning of an id may still be a place or a key.
    let letters = store.dead_letters(&by_id).unwrap_or_default();
    if !letters.is_empty() {
        return Ok(letters);
    }
    let by_place = match record.rsplit_once(':').map(|(source, line)| (source, line.parse::<u64>())) {
        Some((source, Ok(line))) => store.letters_at(source, line)?,
        _ => Vec::new(),
    };
    if !by_place.is_empty() {
        return Ok(by_place);
    }
    store.letters_of_key(&[record])
}

/// What the run of a letter said of compliance.
fn of_run(store: &Store, letter: &Letter) -> Result<Vec<Event>> {
    let filter = EventFilter {
        run: Some(letter.run.clone()),
        category: Some(Category::Compliance),
        limit: MOST,
        ..EventFilter::default()
    };
    store.audit_events(&filter)
}

fn refusals(store: &Store, record: &str) -> Result<Vec<Event>> {
    let mut found = Vec::new();
    for action in ["run.refused", "compliance.refused", "plan.approval_refused", "records.withheld"] {
        let filter = EventFilter { action: Some(action.into()), ..EventFilter::default() };
        let mut here = 0;
        store.walk_events(&filter, &mut |Found { event, .. }| {
            let about = event.id.starts_with(record)
                || event.run.as_ref().is_some_and(|run| run.starts_with(record))
                || event.route.as_deref() == Some(record);
            if about {
                found.push(event);
                here += 1;
            }
            Ok(here < MOST)
        })?;
    }
    found.sort_by_key(|event| std::cmp::Reverse(event.seq));
    Ok(found)
}

fn told(letter: &Letter, rules: &[Rule], mappings: &[Mapping], events: &[Event], text: &mut String) -> Value {
    let what = match letter.state {
        LetterState::Open => "was set aside and waits",
        LetterState::Replaying => "is being replayed",
        LetterState::Replayed => "was set aside, and made it later",
        LetterState::Superseded => "was set aside; a later version of it counts",
        LetterState::Discarded => "was set aside and given up",
    };
    let place = format!("{}:{}", letter.source, letter.line);
    text.push_str(&format!("the record at {} of {} {what}\n", shown(&place), letter.route));
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<9} {}\n", shown(value)));
    line("cause", &letter.cause);
    if let Some(field) = &letter.field {
        line("field", field);
    }
    let code = codes::all().find(|code| code.id == letter.code);
    line("code", &format!("{}: {}", letter.code, code.map_or("", |code| code.title)));
    let mapping = mappings.iter().find(|mapping| mapping.name.value == letter.route);
    let rule = mapping.zip(letter.field.as_ref()).and_then(|(mapping, field)| mapping.place_of_field(field));
    if let Some(rule) = &rule {
        line("rule", rule);
    }
    // The rules of the project that it broke, each with the place where it is written.
    let broken: Vec<&Rule> = rules.iter().filter(|rule| letter.cause.contains(&rule.said())).collect();
    for rule in &broken {
        line("rule", &format!("`{}` {}", rule.name, place_of(rule).unwrap_or_default()));
    }
    line("when", &moment::shown(letter.created_ns));
    line("run", &letter.run);
    line("letter", &letter.id);
    if let Some(reason) = &letter.reason {
        line("reason", reason);
    }
    for event in events {
        let reason = event.reason.as_deref().unwrap_or("");
        line("also", &format!("{} {reason}", event.action));
    }
    let explain = code.map(|code| code.explain);
    if letter.state == LetterState::Open {
        let next = format!("mend it, then: consign sync dlq replay {}", letter.route);
        line("next", &next);
    }
    json!({
        "kind": "dead_letter", "id": letter.id, "route": letter.route, "run": letter.run, "state": letter.state.word(),
        "cause": letter.cause, "field": letter.field, "code": letter.code, "explain": explain, "rule": rule,
        "rules": broken.iter().map(|rule| &rule.name).collect::<Vec<_>>(),
        "source": letter.source, "line": letter.line, "record": letter.record,
        "rejected": moment::shown(letter.created_ns), "reason": letter.reason,
        "classes": letter.classes.iter().map(|id| id.class().name).collect::<Vec<_>>(),
        "events": events.iter().map(|event| serde_json::to_value(event).unwrap_or_default()).collect::<Vec<_>>(),
    })
}
