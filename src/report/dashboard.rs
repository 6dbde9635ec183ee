//! The dashboard: everything that one would rather see than ask for, on one page.

use std::collections::BTreeMap;

use super::document::{Cell, Chart, Form, Kind, Remark, Report, Section, Series, Table, Tile, Tone};
use super::health::{self, Health};
use super::numbers::{self, Period};
use super::performance;
use super::provenance::Provenance;
use super::run::tone;
use super::shape::{cell, counted, when};
use crate::audit::{Event, Level};
use crate::config::{Mapping, Project};
use crate::error::{Finding, Result, Severity, codes};
use crate::store::folder::Folder;
use crate::store::{EventFilter, RunFilter, Store};

/// The dashboard.
pub static KIND: Kind = Kind {
    name: "dashboard",
    about: "one page: health, runs, volumes, errors, response times, risk, open findings, integrity, schedules",
    version: 1,
};

/// How many rows of what grows are shown.
const SHOWN: usize = 25;
/// How many events are looked at for the risk.
const EVENTS: usize = 2_000;

/// Gathers the dashboard. `findings`: what checks of the configuration say today.
///
/// # Errors
/// The state cannot be read.
pub fn gather(
    project: &Project,
    mappings: &[Mapping],
    store: &Store,
    folder: &Folder,
    findings: &[Finding],
    asked: &health::Asked,
) -> Result<Report> {
    let query = "health of routes and connectors, the numbers of runs and calls of the period, its events from warnings on, findings of the configuration";
    let mut provenance = Provenance::of(store, query)?;
    let seen = health::look(project, mappings, Some(store), folder, asked)?;
    let filter = EventFilter {
        level: Some(Level::Warning),
        since_ns: Some(asked.at_ns - asked.period_ns),
        until_ns: Some(asked.at_ns),
        limit: EVENTS,
        ..EventFilter::default()
    };
    let events = store.audit_events(&filter)?;
    events.iter().for_each(|event| provenance.saw(event.seq));
    let empty = numbers::period(store, asked.at_ns, asked.at_ns, i64::MAX, &|_| false)?;
    let period = seen.period.as_ref().unwrap_or(&empty);
    provenance = provenance
        .parameter("at", Cell::Moment(asked.at_ns))
        .parameter("period", Cell::Time(asked.period_ns))
        .count("routes", seen.routes.len() as u64)
        .count("runs", period.runs)
        .count("events", events.len() as u64)
        .count("findings", findings.len() as u64);
    provenance.configuration = vec![("project".to_string(), project.hash.clone())];

    let worst = seen.worst();
    let lead = format!(
        "{} {} of {} healthy at {}; {} in the last {}.",
        match worst {
            Health::Healthy => "All is well:",
            Health::Degraded => "Something needs a look:",
            Health::Unhealthy => "Something is wrong:",
        },
        seen.count(Health::Healthy),
        counted(seen.routes.len() as u64, "route is", "routes are"),
        when(asked.at_ns),
        counted(period.runs, "run", "runs"),
        cell(&Cell::Time(asked.period_ns)),
    );
    let mut report =
        Report::new(&KIND, format!("Dashboard of {}", project.environment), provenance).lead(worst.tone(), lead);
    report.push(Section::new("overview", "Overview").tiles("tiles", tiles(&seen, period, &events, findings)).remarks(
        "reasons",
        first(health::reasons(&seen)),
        "Nothing needs a look.",
    ));
    report.push(
        Section::new("health", "Health")
            .chart(health::strips(&seen, asked))
            .table(cut(health::routes_table(&seen), "`consign report health` has all")),
    );
    report.push(
        Section::new("runs", "Runs and volumes")
            .chart(performance::runs_chart(period))
            .chart(performance::volume_chart(period))
            .table(newest(store, asked)?),
    );
    report.push(errors(period));
    report.push(response(period));
    report.push(risk(&events));
    report.push(open(findings, store, &seen)?);
    report.push(schedules(&seen));
    report.push(health::own(Some(store))?);
    Ok(report)
}

fn cut(mut table: Table, why: &str) -> Table {
    let more = table.rows.len().saturating_sub(SHOWN);
    if more > 0 {
        table.rows.truncate(SHOWN);
        table.left_out = Some((more as u64, why.to_string()));
    }
    table
}

/// What is not well, the first few.
fn first(mut remarks: Vec<Remark>) -> Vec<Remark> {
    remarks.retain(|remark| remark.tone > Tone::Quiet);
    remarks.truncate(8);
    remarks
}

fn tiles(seen: &health::Seen, period: &Period, events: &[Event], findings: &[Finding]) -> Vec<Tile> {
    let tile = |key: &'static str, label: &'static str, value: Cell, tone: Tone, more: Option<String>| Tile {
        key: key.into(),
        label: label.into(),
        value,
        tone,
        more,
    };
    let (runs, errors) = (period.all.runs(), period.all.errors());
    let risk = events.iter().map(|event| event.risk).fold(0.0, f64::max);
    let letters: u64 = seen.routes.iter().map(|route| route.letters).sum();
    let faults = findings.iter().filter(|finding| finding.severity != Severity::Note).count() as u64;
    let zero = |count: u64, bad: Tone| if count == 0 { Tone::Good } else { bad };
    vec![
        tile("score", "health score", Cell::Number(f64::from(seen.score()), "/ 100"), seen.worst().tone(), None),
        tile(
            "success",
            "runs that did everything",
            Cell::share(period.all.done, runs),
            zero(runs - period.all.done, Tone::Warn),
            Some(format!("of {}", cell(&Cell::Count(runs)))),
        ),
        tile("errors", "runs that failed", Cell::Count(errors), zero(errors, Tone::Bad), None),
        tile(
            "written",
            "records written",
            Cell::Count(period.all.written),
            Tone::Plain,
            Some(cell(&Cell::Bytes(period.all.bytes))),
        ),
        tile("availability", "availability", performance::availability(period), Tone::Plain, None),
        tile("risk", "highest risk", Cell::Number(risk, ""), risk_tone(risk), Some(risk_word(risk).to_string())),
        tile("dead_letters", "dead letters", Cell::Count(letters), zero(letters, Tone::Warn), None),
        tile("findings", "open findings", Cell::Count(faults), zero(faults, Tone::Warn), None),
    ]
}

/// The newest runs.
fn newest(store: &Store, asked: &health::Asked) -> Result<Table> {
    let columns = ["run", "route", "state", "started", "duration_seconds", "records_read", "written", "aside"];
    let mut table = Table::new("newest", &columns, "Nothing ran.")
        .titled("the newest runs")
        .label("duration_seconds", "duration")
        .label("records_read", "read");
    let filter = RunFilter { limit: 12, since_ns: Some(asked.at_ns - asked.period_ns), ..RunFilter::default() };
    for run in store.runs(&filter)?.into_iter().filter(|run| run.started_ns < asked.at_ns) {
        let totals = &run.totals;
        table.push(vec![
            Cell::Code(run.id.clone()),
            Cell::Code(run.route.clone()),
            Cell::State(tone(run.state), run.state.word().into()),
            Cell::Moment(run.started_ns),
            Cell::time(run.ended_ns.map(|end| end - run.started_ns)),
            Cell::Count(totals.read),
            Cell::Count(totals.written),
            Cell::Count(totals.rejected + totals.refused + totals.in_doubt),
        ]);
    }
    Ok(table)
}

fn errors(period: &Period) -> Section {
    let mut found: Vec<_> = period.errors.iter().collect();
    found.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    found.truncate(SHOWN);
    let section = Section::new("errors", "Errors");
    if found.is_empty() {
        return section.text("No run ended with an error.");
    }
    let title = |code: &str| codes::all().find(|known| known.id == code).map_or("", |known| known.title);
    let chart = Chart {
        key: "errors".into(),
        title: "runs by the error that ended them".into(),
        form: Form::Bars,
        labels: found.iter().map(|(code, _)| Cell::Text(format!("{code}: {}", title(code)))).collect(),
        series: vec![Series {
            name: "runs".into(),
            tone: Tone::Bad,
            values: found.iter().map(|(_, (runs, _))| Cell::Count(*runs)).collect(),
        }],
    };
    section.chart(chart)
}

fn response(period: &Period) -> Section {
    let columns = ["connector", "calls", "p50_seconds", "p95_seconds", "slowest_seconds", "throttled", "repeated"];
    let mut table = Table::new("calls", &columns, "No run called an API.")
        .titled("calls of APIs")
        .label("p50_seconds", "p50")
        .label("p95_seconds", "p95")
        .label("slowest_seconds", "slowest");
    let time = |of: Option<u64>| Cell::time(of.and_then(|ns| i64::try_from(ns).ok()));
    for (name, of) in &period.calls {
        table.push(vec![
            Cell::Code(name.clone()),
            Cell::Count(of.calls),
            time(of.quantile_ns(0.5)),
            time(of.quantile_ns(0.95)),
            time((of.slowest_ns > 0).then_some(of.slowest_ns)),
            Cell::Count(of.throttled),
            Cell::Count(of.retries),
        ]);
    }
    Section::new("response", "Response times").chart(performance::longest_chart(period)).table(table)
}

/// The band of a risk: low from .2, medium from .5, high from .8, critical from .9.
fn risk_word(risk: f64) -> &'static str {
    match risk {
        risk if risk >= 0.9 => "critical",
        risk if risk >= 0.8 => "high",
        risk if risk >= 0.5 => "medium",
        risk if risk >= 0.2 => "low",
        _ => "none",
    }
}

fn risk_tone(risk: f64) -> Tone {
    match risk {
        risk if risk >= 0.8 => Tone::Bad,
        risk if risk >= 0.5 => Tone::Warn,
        risk if risk >= 0.2 => Tone::Plain,
        _ => Tone::Good,
    }
}

fn risk(events: &[Event]) -> Section {
    let mut levels: BTreeMap<(std::cmp::Reverse<Level>, &str), u64> = BTreeMap::new();
    for event in events {
        *levels.entry((std::cmp::Reverse(event.level), event.category.word())).or_default() += 1;
    }
    let mut table =
        Table::new("levels", &["level", "category", "events"], "No event of the period is worth a warning.")
            .titled("events from warnings on");
    for ((level, category), count) in levels {
        let tone = if level.0 >= Level::Error { Tone::Bad } else { Tone::Warn };
        table.push(vec![Cell::State(tone, level.0.word().into()), category.into(), Cell::Count(count)]);
    }
    let mut riskiest: Vec<&Event> = events.iter().filter(|event| event.risk >= 0.2).collect();
    riskiest.sort_by(|a, b| b.risk.total_cmp(&a.risk).then(b.seq.cmp(&a.seq)));
    riskiest.truncate(10);
    let columns = ["seq", "time", "risk", "band", "action", "outcome", "route", "reason"];
    let mut top = Table::new("riskiest", &columns, "No event of the period bears a risk of 0.2 or more.")
        .titled("the riskiest events");
    for event in riskiest {
        top.push(vec![
            Cell::Count(event.seq),
            Cell::Moment(event.time),
            Cell::Number(event.risk, ""),
            Cell::State(risk_tone(event.risk), risk_word(event.risk).into()),
            Cell::Code(event.action.clone()),
            Cell::Text(event.outcome.word().to_string()),
            Cell::code(event.route.clone()),
            event.reason.clone().into(),
        ]);
    }
    Section::new("risk", "Risk").table(top).table(table)
}

/// What waits for a person: findings of the configuration, dead letters.
fn open(findings: &[Finding], store: &Store, seen: &health::Seen) -> Result<Section> {
    let mut remarks: Vec<Remark> = findings
        .iter()
        .map(|finding| {
            let tone = match finding.severity {
                Severity::Error => Tone::Bad,
                Severity::Warning => Tone::Warn,
                Severity::Note => Tone::Plain,
            };
            let mut remark = Remark::new(tone, finding.cause.clone()).code(finding.code.id);
            remark.at = finding.place.as_ref().map(|at| format!("{}:{}", at.file, at.line));
            remark.fix.clone_from(&finding.fix);
            remark
        })
        .collect();
    for route in seen.routes.iter().filter(|route| route.letters > 0) {
        let last = store.route(&route.name)?.last_run;
        let why =
            last.map(|run| store.reject_reasons(&run)).transpose()?.and_then(|reasons| reasons.into_iter().next());
        let mut remark = Remark::new(
            Tone::Warn,
            format!("{} waiting", counted(route.letters, "dead letter is", "dead letters are")),
        )
        .at(route.name.clone())
        .fix(format!("`consign sync dlq list --route {}`", route.name));
        if let Some(why) = why {
            remark = remark.code(why.code).evidence(why.cause);
        }
        remarks.push(remark);
    }
    remarks.sort_by_key(|remark| std::cmp::Reverse(remark.tone));
    let more = remarks.len().saturating_sub(SHOWN);
    remarks.truncate(SHOWN);
    let section = Section::new("findings", "Open findings").remarks("findings", remarks, "Nothing waits for a person.");
    Ok(match more {
        0 => section,
        more => section.text(format!("And {more} more: see `consign map check`.")),
    })
}

fn schedules(seen: &health::Seen) -> Section {
    let mut table = Table::new("schedules", &["route", "schedule", "next", "state"], "No route has a schedule.");
    for route in &seen.routes {
        let Some(schedule) = &route.schedule else { continue };
        let state = match (route.health(), route.overdue) {
            (None, _) => Cell::State(Tone::Quiet, "disabled".into()),
            (_, true) => Cell::State(Tone::Bad, "overdue".into()),
            _ => Cell::State(Tone::Good, "in time".into()),
        };
        table.push(vec![Cell::Code(route.name.clone()), Cell::Code(schedule.clone()), Cell::moment(route.next), state]);
    }
    Section::new("schedules", "Schedules").table(cut(table, "`consign sync status` has all"))
}
