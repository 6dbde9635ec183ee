//! What the rules of a project say of it: as findings before anything moves, and beside the controls of
//! standards in a check of the whole.

use serde_json::{Value as Json, json};

use super::condition::Condition;
use super::{Action, On, Rule, objects, words};
use crate::comply::assess::{
    Assessment, Gravity, Held, Moment, Notes, Parameters, Primitive, Selection, Status, Subject, Way, waiver_of,
};
use crate::comply::facts::{LogFacts, Told};
use crate::comply::standards::{About, Control, Mark, Part, Source, Standard};
use crate::error::codes::comply::RULE;
use crate::error::{Finding, Findings, Place, Severity};

/// The check that rules of a project's own are told under.
pub static CUSTOM: Primitive = Primitive {
    id: "P00",
    name: "rule",
    about: "A rule of the project's own holds for nothing that it looks at.",
    moments: &[Moment::Static, Moment::Inline, Moment::Periodic],
    run: |_: &Subject<'_>, _: &Parameters, _: &mut Notes| {},
};

/// Most events that are named one by one.
const MOST_NAMED: usize = 20;

/// What rules over connectors, mappings and flows find, with the mapping at fault, before anything moves.
pub fn findings(subject: &Subject<'_>, rules: &[Rule]) -> Findings {
    let mut findings = Findings::new();
    for rule in rules {
        for (object, place) in broken(rule, subject) {
            let approved =
                subject.routes.iter().any(|way| way.object() == object && way.mapping.sync.approval.is_some());
            let severity = match &rule.action {
                Some(Action::Warn) => Severity::Warning,
                Some(Action::Approve) if approved => continue,
                _ => Severity::Error,
            };
            let waived = waiver_of(subject, &object, |name| name == rule.name || name == RULE.id);
            let severity = if waived.is_some_and(|waived| !waived.expired) { Severity::Warning } else { severity };
            let mut finding = Finding::error(&RULE, place, format!("{object}: {}", rule.said()));
            finding.severity = severity;
            if let Some(fix) = &rule.fix {
                finding = finding.fix(fix.clone());
            } else if rule.action == Some(Action::Approve) {
                finding = finding.fix("say `sync: { approval: { required: true } }`");
            }
            findings.push(finding);
        }
    }
    findings
}

/// What a rule holds for: the thing, and where it is written.
fn broken(rule: &Rule, subject: &Subject<'_>) -> Vec<(String, Place)> {
    let holds = |way: Option<&Way<'_>>, about: Json| {
        let text = words::expand(rule, Some(&objects::known(way, subject)));
        text.and_then(|text| Condition::compile(rule.on.word(), &text)).is_ok_and(|condition| condition.holds(&about))
    };
    let ways = || subject.routes.iter().filter(|way| rule.concerns(way.name()));
    let at = |way: &Way<'_>| (way.object(), way.mapping.name.place.clone());
    match rule.on {
        On::Connector => subject
            .project
            .connectors
            .values()
            .filter(|one| holds(None, objects::connector(one, subject)))
            .map(|one| (format!("connector {}", one.name), one.place.clone()))
            .collect(),
        On::Mapping => ways().filter(|way| holds(Some(way), objects::mapping(way))).map(at).collect(),
        On::Flow => ways().filter(|way| holds(Some(way), objects::flow(way, subject))).map(at).collect(),
        On::Record | On::Event => Vec::new(),
    }
}

/// The rules of a project as controls of a standard of its own: what they hold for, that their tests come out
/// as they say, and for rules over events what they would have said of the past.
pub fn held(subject: &Subject<'_>, rules: &[Rule], selection: &Selection) -> Vec<Held> {
    if rules.is_empty() {
        return Vec::new();
    }
    // One for each check of a process: it lives as long as what refers to it.
    let standard: &'static Standard = Box::leak(Box::new(Standard {
        name: "custom".into(),
        aliases: Vec::new(),
        title: "Rules of the project".into(),
        label: "rule ".into(),
        version: "as configured".into(),
        source: Source {
            name: "this project".into(),
            url: String::new(),
            date: String::new(),
            reviewed: String::new(),
        },
        regimes: Vec::new(),
        keeps: None,
        clear: Vec::new(),
        controls: rules.iter().map(control).collect(),
        out_of_reach: Vec::new(),
    }));
    let mut all = Vec::new();
    for (rule, control) in rules.iter().zip(&standard.controls) {
        let named =
            |names: &[String]| names.iter().any(|name| *name == rule.name || name == "custom" || name == CUSTOM.id);
        if !selection.only.is_empty() && !named(&selection.only) || named(&selection.skip) {
            continue;
        }
        let mut notes = Notes::default();
        judge(rule, subject, &mut notes);
        let assessments: Vec<Assessment> = notes
            .into_notes()
            .into_iter()
            .map(|note| Assessment {
                check: &CUSTOM,
                standard: &standard.name,
                controls: &control.ids,
                row: 0,
                status: note.status,
                severity: control.severity,
                waiver: (note.status == Status::Fail)
                    .then(|| waiver_of(subject, &note.object, |name| name == rule.name || name == RULE.id))
                    .flatten(),
                object: note.object,
                place: note.place,
                evidence: note.evidence,
                fix: note.fix,
            })
            .collect();
        let status = assessments.iter().map(Assessment::counts).max().unwrap_or(Status::NotApplicable);
        all.push(Held { standard, control, status, assessments });
    }
    all
}

fn control(rule: &Rule) -> Control {
    Control {
        row: 0,
        ids: vec![rule.name.clone()],
        title: rule
            .about
            .clone()
            .or(rule.message.clone())
            .unwrap_or_else(|| rule.when.clone())
            .trim_end_matches('.')
            .to_owned(),
        severity: if rule.action == Some(Action::Warn) { Gravity::Low } else { rule.severity },
        on: vec![match rule.on {
            On::Connector => About::Connector,
            On::Mapping => About::Mapping,
            On::Flow => About::Flow,
            On::Record => About::Value,
            On::Event => About::Log,
        }],
        mark: Mark::Verified,
        checks: vec![Part { check: CUSTOM.id.into(), with: Parameters::default() }],
    }
}

fn judge(rule: &Rule, subject: &Subject<'_>, notes: &mut Notes) {
    let failures = rule.failures();
    for failure in &failures {
        let note = notes.fail(format!("rule {}", rule.name), failure.clone());
        if let Some(place) = &rule.place {
            note.at(place);
        }
        note.fix("mend the rule or its test");
    }
    match rule.on {
        On::Event => history(rule, subject, notes),
        On::Record => {
            let of = subject.routes.iter().filter(|way| {
                way.mapping.validate.iter().any(|check| check.message.as_deref() == Some(rule.said().as_str()))
                    || way.mapping.when.as_ref().is_some_and(|when| when.text.contains(&super::attach::marker(rule)))
            });
            let names: Vec<String> = of.map(|way| way.name().to_owned()).collect();
            if !names.is_empty() {
                notes.pass(
                    format!("rule {}", rule.name),
                    format!("each record is held against it in: {}", names.join(", ")),
                );
            } else if matches!(
                rule.action,
                Some(Action::Mask(_) | Action::Drop(_) | Action::Anonymize(_) | Action::Tokenize { .. })
            ) {
                notes.pass(
                    format!("rule {}", rule.name),
                    "the fields it names are protected in every mapping that reads them",
                );
            } else if failures.is_empty() {
                // No mapping reads a field that it is about.
            }
        }
        _ => {
            let broken = broken(rule, subject);
            for (object, place) in &broken {
                notes
                    .fail(object.clone(), rule.said())
                    .at(place)
                    .fix(rule.fix.clone().unwrap_or_else(|| "see the rule".into()));
            }
            if broken.is_empty() {
                notes.pass(format!("rule {}", rule.name), "it holds for nothing");
            }
        }
    }
}

/// What a rule over events would have said of those that there are.
fn history(rule: &Rule, subject: &Subject<'_>, notes: &mut Notes) {
    let Some(log) = &subject.facts.log else {
        notes.untested(format!("rule {}", rule.name), "the log is not at hand");
        return;
    };
    let mut named = 0;
    let mut count = 0_u64;
    for (at, told) in log.kept.iter().enumerate() {
        if !event_holds(rule, log, at, told) {
            continue;
        }
        count += 1;
        if named < MOST_NAMED {
            named += 1;
            let note = if rule.action == Some(Action::Warn) || rule.action.is_none() {
                notes.warn(format!("event {}", told.seq), rule.said())
            } else {
                notes.fail(format!("event {}", told.seq), rule.said())
            };
            note.fix(rule.fix.clone().unwrap_or_else(|| "look at the event: `consign audit show ID`".into()));
        }
    }
    if count == 0 {
        notes.pass(format!("rule {}", rule.name), format!("it holds for none of {} events", log.kept.len()));
    }
}

fn event_holds(rule: &Rule, log: &LogFacts, at: usize, told: &Told) -> bool {
    let mut known = words::Known::default();
    // Only windows that are asked for are counted.
    for (window, ns) in windows(&rule.when) {
        let same =
            |other: &&Told| other.action == told.action && other.route == told.route && told.time - other.time <= ns;
        let number = log.kept[..=at].iter().rev().take_while(|other| told.time - other.time <= ns).filter(same).count();
        known.counts.insert(window, number as u64);
    }
    let text = words::expand(rule, Some(&known));
    text.and_then(|text| Condition::compile("event", &text)).is_ok_and(|condition| condition.holds(&seen(told)))
}

/// The windows that a condition counts in, with their lengths.
fn windows(when: &str) -> Vec<(String, i64)> {
    let of = when.match_indices("count_in(").filter_map(|(at, found)| {
        let inside = when[at + found.len()..].split(')').next()?.trim().trim_matches(['"', '\'']);
        let length = crate::config::units::length(inside).ok()?;
        Some((inside.to_owned(), i64::try_from(length.as_nanos()).ok()?))
    });
    of.collect()
}

fn seen(told: &Told) -> Json {
    json!({
        "seq": told.seq, "action": told.action, "category": told.category, "level": told.level, "outcome": told.outcome,
        "actor": told.actor, "origin": told.origin, "route": told.route, "run": told.run, "resource": told.resource,
        "reason": told.reason, "details": told.details, "risk": told.risk,
    })
}
