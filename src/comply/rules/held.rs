//! What the rules of a project say of it: as findings before anything moves, and beside the controls of
//! standards in a check of the whole.

use serde_json::{Value as Json, json};

use super::attach::is_cleared;
use super::condition::Condition;
use super::{Action, On, Rule, events, objects, words};
use crate::audit::rules::{self as log, InMemory, Watch};
use crate::comply::assess::{
    Assessment, Gravity, Held, Moment, Notes, Parameters, Primitive, Selection, Status, Subject, Way, waiver_of,
};
use crate::comply::facts::Told;
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

/// What rules over connectors, mappings and flows find, with the mapping at fault, before anything moves. Of the
/// connectors only the ends of its routes are looked at where the subject is `one` route of a project.
pub fn findings(subject: &Subject<'_>, rules: &[Rule], one: bool) -> Findings {
    let mut findings = Findings::new();
    let is_end = |object: &str| {
        let mut ends = subject.routes.iter().flat_map(|way| [way.source, way.target]);
        !one || ends.any(|end| object.strip_prefix("connector ") == Some(end.name.as_str()))
    };
    for rule in rules {
        for (object, place) in broken(rule, subject) {
            if rule.on == On::Connector && !is_end(&object) {
                continue;
            }
            let blocks = rule.actions.is_empty() || rule.does(&Action::Block);
            // What somebody has to approve of is asked for when it is to run: see `asks_approval`.
            let severity = if blocks { Severity::Error } else { Severity::Warning };
            let waived = waiver_of(subject, &object, |name| name == rule.name || name == RULE.id);
            let severity = if waived.is_some_and(|waived| !waived.expired) { Severity::Warning } else { severity };
            let mut finding = Finding::error(&RULE, place, format!("{object}: {}", rule.said()));
            finding.severity = severity;
            if let Some(fix) = &rule.fix {
                finding = finding.fix(fix.clone());
            } else if rule.does(&Action::Approve) {
                finding = finding
                    .fix("have each run approved of: `consign sync plan --save FILE`, `consign sync approve FILE`");
            }
            findings.push(finding);
        }
    }
    findings
}

/// The rule for which somebody has to approve of each run of a subject's routes, as it is told; `None`: nobody has to,
/// or a waiver with owner, reason and an end that has not come takes its place.
pub fn asks_approval(subject: &Subject<'_>, rules: &[Rule]) -> Option<String> {
    let asking = rules.iter().filter(|rule| rule.does(&Action::Approve));
    let is_waived = |rule: &Rule, object: &str| {
        waiver_of(subject, object, |name| name == rule.name || name == RULE.id).is_some_and(|waived| !waived.expired)
    };
    asking
        .filter(|rule| broken(rule, subject).iter().any(|(object, _)| !is_waived(rule, object)))
        .map(Rule::said)
        .next()
}

/// What a rule holds for: the thing, and where it is written.
fn broken(rule: &Rule, subject: &Subject<'_>) -> Vec<(String, Place)> {
    let holds = |way: Option<&Way<'_>>, about: Json| {
        let text = words::expand(rule, Some(&objects::known(way, subject)));
        text.and_then(|text| Condition::compile(rule.on.word(), &text)).is_ok_and(|condition| condition.holds(&about))
    };
    let concerned = |way: &&Way<'_>| rule.concerns(way.name()) || rule.concerns(&way.mapping.family);
    let ways = || subject.routes.iter().filter(concerned).filter(|way| !is_cleared(rule, way.target));
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
        severity: if rule.actions == [Action::Warn] { Gravity::Low } else { rule.severity },
        on: vec![match rule.on {
            On::Connector => About::Connector,
            On::Mapping => About::Mapping,
            On::Flow => About::Flow,
            On::Record => About::Value,
            On::Event => About::Log,
        }],
        mark: Mark::Verified,
        read: None,
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
            let of = subject.routes.iter().filter(|way| way.mapping.obeys.iter().any(|one| one.rule == rule.name));
            let names: Vec<String> = of.map(|way| shown(rule, way.name(), &way.mapping.family)).collect();
            if !names.is_empty() {
                let told = format!("it {} in: {}", rule.deed(), names.join(", "));
                notes.pass(format!("rule {}", rule.name), told);
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

/// A mapping with the reason why a pack applies to it by itself.
fn shown(rule: &Rule, name: &str, family: &str) -> String {
    let pack = rule.pack.as_ref().and_then(|pack| Some((&pack.pack, pack.because.get(family)?)));
    pack.map_or_else(|| name.to_owned(), |(pack, why)| format!("{name} (pack {pack}, for {why})"))
}

/// What a rule over events would have said of those that there are: told by what runs it while they are recorded.
fn history(rule: &Rule, subject: &Subject<'_>, notes: &mut Notes) {
    let Some(log) = &subject.facts.log else {
        notes.untested(format!("rule {}", rule.name), "the log is not at hand");
        return;
    };
    let compiled = events::compiled(rule).and_then(|rule| log::Rule::compile(&rule).map_err(|error| error.to_string()));
    let watch = match compiled {
        Ok(rule) => Watch { rules: vec![rule], ..Watch::default() },
        Err(cause) => {
            notes.fail(format!("rule {}", rule.name), cause).fix("mend the rule");
            return;
        }
    };
    let (mut memory, mut named, mut count) = (InMemory::default(), 0, 0_u64);
    for told in log.kept.iter().filter(|told| !told.action.starts_with("rule.")) {
        let fired = watch.judge(&seen(told), told.seq, told.time, &mut memory).is_ok_and(|fired| !fired.is_empty());
        if !fired {
            continue;
        }
        count += 1;
        if named < MOST_NAMED {
            named += 1;
            let note = if rule.actions.is_empty() || rule.actions == [Action::Warn] {
                notes.warn(format!("event {}", told.seq), rule.said())
            } else {
                notes.fail(format!("event {}", told.seq), rule.said())
            };
            note.fix(rule.fix.clone().unwrap_or_else(|| "look at the event: `consign audit show ID`".into()));
        }
    }
    if count == 0 {
        notes.pass(format!("rule {}", rule.name), format!("it fires on none of {} events", log.kept.len()));
    }
}

fn seen(told: &Told) -> Json {
    json!({
        "seq": told.seq, "time": told.time.to_string(), "action": told.action, "category": told.category, "level": told.level, "outcome": told.outcome,
        "actor": told.actor, "origin": told.origin, "route": told.route, "run": told.run, "resource": told.resource,
        "reason": told.reason, "classes": told.classes, "details": told.details, "risk": told.risk,
    })
}
