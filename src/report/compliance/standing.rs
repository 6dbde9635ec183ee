//! Sections 1 to 5 and 14 of the report on compliance, and its appendices A and B: how the controls stand,
//! how they stood, and how that was found out.

use std::collections::BTreeMap;

use super::super::document::{Cell, Chart, Fact, Form, Remark, Section, Series, Table, Tone, fact, named};
use super::{Asked, count, said, tone};
use crate::comply::standards::Standard;
use crate::comply::{Assessment, Gravity, Held, Status, Subject, primitives};

/// The statuses, the gravest first.
const ORDER: [Status; 5] = [Status::Fail, Status::Warn, Status::NotTested, Status::Pass, Status::NotApplicable];

/// 1: who and when.
pub(super) fn cover(asked: &Asked<'_>) -> Section {
    let project = asked.now.project;
    let controller = project.compliance.rules.controller.clone().unwrap_or_default();
    let mut facts: Vec<Fact> = Vec::new();
    for (key, label, value) in [
        ("controller", "responsible", controller.name),
        ("contact", "contact", controller.contact),
        ("representative", "representative", controller.representative),
        ("dpo", "data protection officer", controller.dpo),
    ] {
        facts.push(named(key, label, value.map_or(Cell::from("needs input"), Cell::from)));
    }
    facts.push(named("from", "period from", Cell::Moment(asked.from_ns)));
    facts.push(named("to", "to", Cell::Moment(asked.to_ns)));
    facts.push(fact("environment", project.environment.as_str()));
    facts.push(fact("profile", project.profile.clone()));
    Section::new("cover", "1. Cover").facts("facts", facts).text(
        "Every statement below follows from the configuration, the mappings and the audit log named at the beginning. \
         Made again from them with the same arguments, this report is the same byte for byte.",
    )
}

/// 2: what was looked at, and what was not.
pub(super) fn scope(asked: &Asked<'_>, held: &[Held]) -> Section {
    let subject = asked.now;
    let mut standards =
        Table::new("standards", &["standard", "edition", "controls", "source", "reviewed"], "No standard.");
    for standard in asked.standards {
        standards.push(vec![
            Cell::from(standard.title.as_str()),
            Cell::from(standard.version.as_str()),
            Cell::Count(standard.controls.len() as u64),
            Cell::from(format!("{} ({})", standard.source.name, standard.source.date)),
            Cell::from(standard.source.reviewed.as_str()),
        ]);
    }
    let mut limits =
        Table::new("limits", &["standard", "controls", "about", "why_not"], "Nothing is known to be out of reach.")
            .titled("Out of reach of a configuration and a log")
            .label("why_not", "why not");
    for standard in asked.standards {
        for one in &standard.out_of_reach {
            limits.push(vec![
                Cell::from(standard.title.as_str()),
                Cell::from(one.ids.join(", ")),
                Cell::from(one.title.as_str()),
                Cell::from(one.reason.as_str()),
            ]);
        }
    }
    let mut open =
        Table::new("not_tested", &["standard", "controls", "object", "why_not"], "Every control could be tested.")
            .titled("Could not be tested in this project")
            .label("why_not", "why not");
    for one in held.iter().filter(|one| one.status == Status::NotTested) {
        for it in one.assessments.iter().filter(|it| it.status == Status::NotTested) {
            open.push(vec![
                Cell::from(one.standard.title.as_str()),
                Cell::from(one.control.ids.join(", ")),
                Cell::from(it.object.as_str()),
                Cell::from(it.evidence.as_str()),
            ]);
        }
    }
    let facts = vec![
        named("connectors", "systems", subject.project.connectors.len() as u64),
        fact("routes", subject.routes.len() as u64),
        fact("events", subject.facts.log.as_ref().map(|log| log.events)),
        fact("runs", subject.facts.runs.as_ref().map(|runs| runs.len() as u64)),
    ];
    Section::new("scope", "2. Scope and limits").facts("facts", facts).table(standards).table(limits).table(open)
}

/// 3: how many controls of each standard stand how.
pub(super) fn summary(standards: &[&'static Standard], held: &[Held]) -> Section {
    let columns = ["standard", "fail", "warn", "not_tested", "pass", "not_applicable", "share_not_tested"];
    let mut table = Table::new("standards", &columns, "No control was asked for.");
    let mut labels = Vec::new();
    let mut drawn: BTreeMap<usize, Vec<Cell>> = BTreeMap::new();
    for standard in in_order(standards, held) {
        let of: Vec<Held> = held.iter().filter(|one| one.standard.name == standard.name).cloned().collect();
        let mut row = vec![Cell::from(standard.title.as_str())];
        for (at, status) in ORDER.into_iter().enumerate() {
            row.push(Cell::Count(count(&of, status)));
            drawn.entry(at).or_default().push(Cell::Count(count(&of, status)));
        }
        row.push(Cell::share(count(&of, Status::NotTested), of.len() as u64 - count(&of, Status::NotApplicable)));
        labels.push(Cell::from(standard.title.as_str()));
        table.push(row);
    }
    let series = drawn.into_iter().take(4).map(|(at, values)| Series {
        name: said(ORDER[at]).into(),
        tone: tone(ORDER[at]),
        values,
    });
    let chart = Chart {
        key: "controls".into(),
        title: "Controls by how they stand".into(),
        form: Form::Columns,
        labels,
        series: series.collect(),
    };
    Section::new("summary", "3. Summary")
        .table(table)
        .chart(chart)
        .text("A failure under a waiver that is in force counts as one to be looked at. The share tells how much of what applies could not be tested.")
}

/// The standards that were asked for, and the project's own rules behind them.
fn in_order<'s>(standards: &[&'s Standard], held: &[Held]) -> Vec<&'s Standard>
where
    'static: 's,
{
    let mut all: Vec<&Standard> = standards.to_vec();
    for one in held {
        if !all.iter().any(|standard| standard.name == one.standard.name) {
            all.push(one.standard);
        }
    }
    all
}

/// 4: what does not hold, the gravest first.
pub(super) fn findings(held: &[Held]) -> Section {
    let mut bad: Vec<(&Held, &Assessment)> = held
        .iter()
        .flat_map(|one| one.assessments.iter().map(move |it| (one, it)))
        .filter(|(_, it)| matches!(it.counts(), Status::Fail | Status::Warn))
        .collect();
    bad.sort_by_key(|(_, it)| (std::cmp::Reverse(it.counts() == Status::Fail), std::cmp::Reverse(it.severity)));
    let remarks = bad.into_iter().map(|(one, it)| {
        let at = it.place.as_ref().map_or(String::new(), |at| format!(" ({}:{}:{})", at.file, at.line, at.column));
        let cites: Vec<String> = one.control.ids.iter().map(|id| one.standard.cite(id)).collect();
        Remark {
            tone: tone(it.counts()),
            code: Some(cites.join(", ")),
            what: format!("{} ({}, {})", one.control.title, said(it.counts()), it.severity.word()),
            at: Some(format!("{}{at}", it.object)),
            evidence: Some(format!("{} {}", it.check.id, it.evidence)),
            fix: it.fix.clone(),
        }
    });
    Section::new("findings", "4. Findings").remarks("findings", remarks.collect(), "Nothing failed.")
}

/// 5: what somebody answers for.
pub(in crate::report) fn waivers(subject: &Subject<'_>, held: &[Held]) -> Section {
    let columns = ["check", "of", "owner", "reason", "until", "state", "covers", "ticket", "written_at"];
    let mut table = Table::new("waivers", &columns, "Nothing is waived.")
        .label("written_at", "written at")
        .label("covers", "findings it is about");
    let today = day(subject.now_ns);
    for waiver in &subject.project.compliance.rules.waivers {
        let covered = held.iter().flat_map(|one| &one.assessments).filter(|it| {
            it.waiver.as_ref().is_some_and(|by| {
                by.owner == waiver.owner && by.reason == waiver.reason && by.until == waiver.until.to_string()
            })
        });
        let state = match waiver.until.to_string() < today {
            true => Cell::State(Tone::Bad, "ended".into()),
            false => Cell::State(Tone::Warn, "in force".into()),
        };
        table.push(vec![
            Cell::Code(waiver.check.clone()),
            Cell::from(waiver.at.as_str()),
            Cell::from(waiver.owner.as_str()),
            Cell::from(waiver.reason.as_str()),
            Cell::Code(waiver.until.to_string()),
            state,
            Cell::Count(covered.count() as u64),
            Cell::code(waiver.ticket.clone()),
            Cell::Code(format!("{}:{}", waiver.place.file, waiver.place.line)),
        ]);
    }
    Section::new("waivers", "5. Waivers").table(table)
}

/// The day of a moment in UTC, as ISO 8601 writes it.
fn day(ns: i64) -> String {
    let moment = super::super::shape::moment(ns);
    moment.get(..10).map_or(moment.clone(), ToString::to_string)
}

/// 14: what changed against the period before.
pub(super) fn trend(asked: &Asked<'_>, held: &[Held], earlier: &[Held]) -> Section {
    let mut table = Table::new("counts", &["what", "before", "now", "change"], "Nothing to compare.");
    let mut row = |what: String, before: u64, now: u64| {
        let change = if before == 0 { Cell::Nothing } else { Cell::Change(now as f64 / before as f64 - 1.0) };
        table.push(vec![Cell::from(what), Cell::Count(before), Cell::Count(now), change]);
    };
    for status in ORDER {
        row(format!("controls: {}", said(status)), count(earlier, status), count(held, status));
    }
    let (before, now) = (&asked.before.facts, &asked.now.facts);
    let events = |facts: &crate::comply::facts::Facts| facts.log.as_ref().map_or(0, |log| log.events);
    let bad = |facts: &crate::comply::facts::Facts| {
        facts.log.as_ref().map_or(0, |log| log.actions.values().map(|kind| kind.bad).sum::<u64>())
    };
    let runs = |facts: &crate::comply::facts::Facts| facts.runs.as_ref().map_or(0, |runs| runs.len() as u64);
    let rejected = |facts: &crate::comply::facts::Facts| {
        facts.runs.iter().flatten().map(|run| run.totals.rejected + run.totals.refused).sum::<u64>()
    };
    let withheld =
        |facts: &crate::comply::facts::Facts| facts.runs.iter().flatten().map(|run| run.totals.withheld).sum::<u64>();
    row("events".into(), events(before), events(now));
    row("events: failed or denied".into(), bad(before), bad(now));
    row("runs".into(), runs(before), runs(now));
    row("records rejected".into(), rejected(before), rejected(now));
    row("records withheld".into(), withheld(before), withheld(now));
    let mut moved = Table::new("moved", &["standard", "controls", "before", "now"], "No control changed.")
        .titled("Controls that changed");
    for one in held {
        let then = earlier.iter().find(|it| {
            it.standard.name == one.standard.name
                && it.control.ids == one.control.ids
                && it.control.title == one.control.title
        });
        if let Some(then) = then.filter(|then| then.status != one.status) {
            moved.push(vec![
                Cell::from(one.standard.title.as_str()),
                Cell::from(one.control.ids.join(", ")),
                Cell::State(tone(then.status), said(then.status).into()),
                Cell::State(tone(one.status), said(one.status).into()),
            ]);
        }
    }
    Section::new("trend", "14. Against the period before").table(table).table(moved).text(
        "The period before is as long as this one and ends where it begins. What stands in files is judged as it stands in both.",
    )
}

/// A: every control, and what it was tested by.
pub(super) fn crosswalk(held: &[Held]) -> Section {
    let columns = ["standard", "controls", "asks", "severity", "status", "checks", "looked_at", "id_from"];
    let mut table = Table::new("controls", &columns, "No control was asked for.")
        .label("looked_at", "things looked at")
        .label("id_from", "id read in the source");
    for one in held {
        let checks: Vec<&str> = one.control.checks.iter().map(|part| part.check.as_str()).collect();
        table.push(vec![
            Cell::from(one.standard.title.as_str()),
            Cell::from(one.control.ids.join(", ")),
            Cell::from(one.control.title.as_str()),
            gravity(one.control.severity),
            Cell::State(tone(one.status), said(one.status).into()),
            Cell::codes(checks),
            Cell::Count(one.assessments.len() as u64),
            Cell::Yes(one.control.mark == crate::comply::standards::Mark::Verified),
        ]);
    }
    Section::new("crosswalk", "A. Controls and checks").table(table)
}

fn gravity(of: Gravity) -> Cell {
    Cell::from(of.word())
}

/// B: how it was found out.
pub(super) fn methods() -> Section {
    let mut table =
        Table::new("checks", &["check", "name", "passes_where", "when"], "").label("passes_where", "passes where");
    for one in primitives::ALL {
        let moments: Vec<String> = one.moments.iter().map(|moment| format!("{moment:?}").to_lowercase()).collect();
        table.push(vec![
            Cell::Code(one.id.into()),
            Cell::from(one.name),
            Cell::from(one.about),
            Cell::from(moments.join(", ")),
        ]);
    }
    let mut detectors = Table::new("detectors", &["detector", "class", "finds", "by_chance"], "")
        .titled("Detectors of sensitive values")
        .label("by_chance", "random text that passes its checksum");
    for one in crate::comply::detectors::ALL {
        detectors.push(vec![
            Cell::from(one.name),
            Cell::Code(one.class.into()),
            Cell::from(one.about),
            Cell::Share(one.null_rate),
        ]);
    }
    Section::new("methods", "B. Methods")
        .text(format!("Checks and detectors are those of consign {}.", env!("CARGO_PKG_VERSION")))
        .table(table)
        .table(detectors)
        .text("How many of the sensitive values each detector finds, and how often it is wrong, is measured by `cargo bench --bench detect` and stands in docs/guide/detection.md.")
}
