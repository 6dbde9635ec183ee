//! The report of performance: how many runs there were in a period, how they ended, how long they
//! took, what their calls came to, how that compares with the period before, and which setting to
//! change, and why.

use super::advice::advice;
use super::document::{Cell, Chart, Fact, Form, Kind, Remark, Report, Section, Series, Table, Tile, Tone, fact, named};
use super::numbers::{COLUMNS, Period, period};
use super::provenance::Provenance;
use super::routes;
use super::run::tone;
use super::shape::{cell, counted, facts_json, when};
use crate::error::{Result, codes};
use crate::record::Calls;
use crate::store::Store;

/// The report of performance.
pub static KIND: Kind = Kind {
    name: "performance",
    about: "runs of a period: success, durations, throughput, errors, calls, what to change",
    version: 1,
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The end of the period, nanoseconds since 1970; `None`: just behind the newest event on record.
    pub until_ns: Option<i64>,
    /// Its length, nanoseconds.
    pub period_ns: i64,
    /// Only of this connector or route.
    pub of: Option<String>,
    /// From which length on a run is slow, nanoseconds.
    pub slow_ns: i64,
}

/// Gathers the numbers of a period and of the one before.
///
/// # Errors
/// The state cannot be read.
pub fn gather(store: &Store, asked: &Asked) -> Result<Report> {
    let provenance = Provenance::of(
        store,
        "the numbers of the runs that began in the period and ended, and of the calls they made",
    )?;
    let newest = provenance.log.as_ref().map_or(0, |log| log.last_ns);
    let until_ns = asked.until_ns.unwrap_or(newest + 1);
    let from_ns = until_ns - asked.period_ns;
    let routes = routes::all(store)?;
    let touches = |name: &str| match &asked.of {
        None => true,
        Some(of) => name == of || routes.iter().any(|route| route.name == name && route.touches(of)),
    };
    let mut now = period(store, from_ns, until_ns, asked.slow_ns, &touches)?;
    let mut before = period(store, from_ns - asked.period_ns, from_ns, asked.slow_ns, &touches)?;
    let is_connector = asked.of.as_ref().is_some_and(|of| routes.iter().any(|r| r.from.0 == *of || r.to.0 == *of));
    if let Some(of) = &asked.of {
        now.calls
            .retain(|name, _| name == of || !is_connector && routes.iter().any(|r| r.name == *of && r.touches(name)));
        before.calls.retain(|name, _| now.calls.contains_key(name));
    }
    let mut provenance = provenance
        .parameter("period", Cell::Time(asked.period_ns))
        .parameter("until", Cell::Moment(until_ns))
        .parameter("slow", Cell::Time(asked.slow_ns))
        .count("runs", now.runs)
        .count("runs_before", before.runs);
    if let Some(of) = &asked.of {
        provenance = provenance.parameter("of", Cell::Code(of.clone()));
    }
    let what = asked.of.as_ref().map_or_else(String::new, |of| format!(" of {of}"));
    let advice = advice(&now, &before, &routes);
    let (tone, lead) = summary(&now, &advice);
    let mut report = Report::new(&KIND, format!("Performance{what}"), provenance).lead(tone, lead);
    report.data.push(("measures", facts_json(&measures(&now))));
    report.push(overview(&now));
    report.push(Section::new("advice", "What to change").remarks(
        "recommendations",
        advice,
        "Nothing stands out: no setting needs to change.",
    ));
    report.push(compared(&now, &before));
    report.push(over_time(&now));
    report.push(by_route(&now));
    report.push(errors(&now));
    report.push(calls(&now));
    report.push(slow(store, &now, asked.slow_ns)?);
    Ok(report)
}

fn summary(now: &Period, advice: &[Remark]) -> (Tone, String) {
    let runs = now.all.runs();
    let span = format!("from {} to {}", when(now.from_ns), when(now.until_ns));
    if runs == 0 {
        return (Tone::Quiet, format!("No run began {span}."));
    }
    let tone = match (now.all.errors(), now.all.partial, advice.first()) {
        (0, 0, None) => Tone::Good,
        (errors, ..) if errors * 20 > runs => Tone::Bad,
        (0, 0, Some(_)) => Tone::Plain,
        _ => Tone::Warn,
    };
    let success = cell(&Cell::share(now.all.done, runs));
    (
        tone,
        format!(
            "{} {span}: {success} did everything, {} failed.",
            counted(runs, "run", "runs"),
            count(now.all.errors())
        ),
    )
}

fn count(of: u64) -> String {
    cell(&Cell::Count(of))
}

fn time(of: Option<u64>) -> Cell {
    Cell::time(of.and_then(|ns| i64::try_from(ns).ok()))
}

/// The share of time in which the last run had not failed, over all routes.
pub(super) fn availability(now: &Period) -> Cell {
    let seen: i64 = now.routes.values().map(|route| route.seen_ns).sum();
    let down: i64 = now.routes.values().map(|route| route.down_ns).sum();
    if seen > 0 { Cell::Share(1.0 - down as f64 / seen as f64) } else { Cell::Nothing }
}

fn all_calls(now: &Period) -> Calls {
    now.calls.values().fold(Calls::default(), |mut sum, calls| {
        sum.add(calls);
        sum
    })
}

/// Names with values that are compared with the period before.
fn measures(of: &Period) -> Vec<Fact> {
    let (sums, calls) = (&of.all, all_calls(of));
    let runs = sums.runs();
    vec![
        named("operations", "runs", runs),
        named("success_rate", "success rate", Cell::share(sums.done, runs)),
        named("error_rate", "error rate", Cell::share(sums.errors(), runs)),
        named("availability", "availability", availability(of)),
        named("duration_mean_seconds", "duration, mean", time(sums.mean())),
        named("duration_p50_seconds", "duration, p50", time(sums.rank(0.5))),
        named("duration_p95_seconds", "duration, p95", time(sums.rank(0.95))),
        named("duration_p99_seconds", "duration, p99", time(sums.rank(0.99))),
        named("duration_max_seconds", "duration, longest", time(sums.lengths.last().copied())),
        named("records_read", "records read", sums.read),
        named("records_written", "records written", sums.written),
        named("records_aside", "records set aside", sums.aside),
        named("records_per_second", "throughput while running", sums.rate()),
        fact("bytes", Cell::Bytes(sums.bytes)),
        fact("calls", calls.calls),
        named("calls_repeated", "calls repeated", calls.retries),
        named("calls_throttled", "calls throttled", calls.throttled),
        named("waited_seconds", "time spent waiting", time(Some(calls.waited_ns))),
    ]
}

fn overview(now: &Period) -> Section {
    let sums = &now.all;
    let runs = sums.runs();
    let tile = |key: &'static str, label: &'static str, value: Cell, tone: Tone, more: Option<String>| Tile {
        key: key.into(),
        label: label.into(),
        value,
        tone,
        more,
    };
    let bad = |count: u64| if count == 0 { Tone::Good } else { Tone::Warn };
    let calls = all_calls(now);
    let tiles = vec![
        tile(
            "operations",
            "runs",
            Cell::Count(runs),
            Tone::Plain,
            Some(counted(now.routes.len() as u64, "route", "routes")),
        ),
        tile("success_rate", "success rate", Cell::share(sums.done, runs), bad(runs - sums.done), None),
        tile(
            "errors",
            "failed",
            Cell::Count(sums.errors()),
            if sums.errors() == 0 { Tone::Good } else { Tone::Bad },
            (sums.partial > 0).then(|| format!("and {} not whole", count(sums.partial))),
        ),
        tile("p95", "duration, p95", time(sums.rank(0.95)), Tone::Plain, None),
        tile("throughput", "throughput", sums.rate(), Tone::Plain, Some(format!("{} read", count(sums.read)))),
        tile("throttled", "calls throttled", Cell::Count(calls.throttled), bad(calls.throttled), None),
    ];
    Section::new("overview", "Overview").tiles("tiles", tiles)
}

fn compared(now: &Period, before: &Period) -> Section {
    let mut table = Table::new("measures", &["measure", "now", "before", "change"], "");
    for (now, before) in measures(now).into_iter().zip(measures(before)) {
        let (new, old) = (now.value.drawn(), before.value.drawn());
        let change = match (new, old) {
            // A share of a share says little: the difference in points.
            (Some(new), Some(old)) if matches!(now.value, Cell::Share(_)) => Cell::Points((new - old) * 100.0),
            (Some(new), Some(old)) if old > 0.0 => Cell::Change(new / old - 1.0),
            _ => Cell::Nothing,
        };
        table.push(vec![Cell::Text(now.label.to_string()), now.value, before.value, change]);
    }
    let span = format!("The period before is as long: from {} to {}.", when(before.from_ns), when(before.until_ns));
    Section::new("compared", "Compared with the period before").text(span).table(table)
}

/// The moments at which the columns of a chart begin.
pub(super) fn labels(now: &Period) -> Vec<Cell> {
    let width = (now.until_ns - now.from_ns) / COLUMNS as i64;
    (0..COLUMNS as i64).map(|index| Cell::Moment(now.from_ns + index * width)).collect()
}

/// Runs along time, by how they ended.
pub(super) fn runs_chart(now: &Period) -> Chart {
    let series = |name: &'static str, tone, which: usize| Series {
        name: name.into(),
        tone,
        values: now.columns.iter().map(|column| Cell::Count(column[which])).collect(),
    };
    Chart {
        key: "runs".into(),
        title: "runs".into(),
        form: Form::Columns,
        labels: labels(now),
        series: vec![series("done", Tone::Good, 0), series("not whole", Tone::Warn, 1), series("failed", Tone::Bad, 2)],
    }
}

/// A chart of one series along time.
pub(super) fn one_chart(now: &Period, key: &'static str, title: &'static str, form: Form, values: Vec<Cell>) -> Chart {
    let series = vec![Series { name: title.into(), tone: Tone::Plain, values }];
    Chart { key: key.into(), title: title.into(), form, labels: labels(now), series }
}

/// The longest run along time.
pub(super) fn longest_chart(now: &Period) -> Chart {
    let of = |ns: &u64| if *ns == 0 { Cell::Nothing } else { time(Some(*ns)) };
    one_chart(now, "longest", "longest run", Form::Lines, now.longest.iter().map(of).collect())
}

/// Records written along time.
pub(super) fn volume_chart(now: &Period) -> Chart {
    let values = now.volume.iter().map(|count| Cell::Count(*count)).collect();
    one_chart(now, "volume", "records written", Form::Columns, values)
}

fn over_time(now: &Period) -> Section {
    Section::new("time", "Over time").chart(runs_chart(now)).chart(longest_chart(now)).chart(volume_chart(now))
}

fn by_route(now: &Period) -> Section {
    let columns = [
        "route",
        "runs",
        "success_rate",
        "failed",
        "p50_seconds",
        "p95_seconds",
        "records_read",
        "records_per_second",
        "availability",
    ];
    let mut table = Table::new("routes", &columns, "No route ran.")
        .label("success_rate", "success")
        .label("p50_seconds", "p50")
        .label("p95_seconds", "p95")
        .label("records_read", "read")
        .label("records_per_second", "throughput");
    for (name, route) in &now.routes {
        let sums = &route.sums;
        table.push(vec![
            Cell::Code(name.clone()),
            Cell::Count(sums.runs()),
            Cell::share(sums.done, sums.runs()),
            Cell::Count(sums.errors()),
            time(sums.rank(0.5)),
            time(sums.rank(0.95)),
            Cell::Count(sums.read),
            sums.rate(),
            route.uptime().map_or(Cell::Nothing, Cell::Share),
        ]);
    }
    Section::new("routes", "By route")
        .table(table)
        .text("Availability is the share of the time between the ends of runs in which the newer of them did not fail.")
}

fn errors(now: &Period) -> Section {
    let mut table =
        Table::new("errors", &["class", "code", "runs", "rate", "last", "meaning"], "No run ended with an error.");
    let mut found: Vec<_> = now.errors.iter().collect();
    found.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    for (code, (runs, last)) in found {
        let title = codes::all().find(|known| known.id == code.as_str()).map_or("", |known| known.title);
        table.push(vec![
            Cell::Text(code.split('-').next().unwrap_or_default().to_string()),
            Cell::Code(code.clone()),
            Cell::Count(*runs),
            Cell::share(*runs, now.all.runs()),
            Cell::Moment(*last),
            title.into(),
        ]);
    }
    Section::new("errors", "Errors by class").table(table)
}

fn calls(now: &Period) -> Section {
    let columns = [
        "connector",
        "calls",
        "repeated",
        "throttled",
        "failed",
        "p50_seconds",
        "p95_seconds",
        "slowest_seconds",
        "waited_seconds",
    ];
    let mut table = Table::new("calls", &columns, "No run called an API.")
        .label("p50_seconds", "p50")
        .label("p95_seconds", "p95")
        .label("slowest_seconds", "slowest")
        .label("waited_seconds", "waited");
    for (name, of) in &now.calls {
        table.push(vec![
            Cell::Code(name.clone()),
            Cell::Count(of.calls),
            Cell::Count(of.retries),
            Cell::Count(of.throttled),
            Cell::Count(of.failed),
            time(of.quantile_ns(0.5)),
            time(of.quantile_ns(0.95)),
            time((of.slowest_ns > 0).then_some(of.slowest_ns)),
            time(Some(of.waited_ns)),
        ]);
    }
    Section::new("calls", "Calls of APIs").table(table)
}

fn slow(store: &Store, now: &Period, slow_ns: i64) -> Result<Section> {
    let columns = ["run", "route", "state", "started", "duration_seconds", "records_read", "written"];
    let none = format!("No run took {} or longer.", cell(&Cell::Time(slow_ns)));
    let mut table =
        Table::new("slow", &columns, none).label("duration_seconds", "duration").label("records_read", "read");
    let numbers: Vec<i64> = now.slow.iter().map(|(_, number)| *number).collect();
    let mut runs = store.runs_numbered(&numbers)?;
    runs.sort_by_key(|run| {
        (std::cmp::Reverse(run.ended_ns.unwrap_or(run.started_ns) - run.started_ns), run.id.clone())
    });
    for run in runs {
        table.push(vec![
            Cell::Code(run.id.clone()),
            Cell::Code(run.route.clone()),
            Cell::State(tone(run.state), run.state.word().into()),
            Cell::Moment(run.started_ns),
            Cell::time(run.ended_ns.map(|end| end - run.started_ns)),
            Cell::Count(run.totals.read),
            Cell::Count(run.totals.written),
        ]);
    }
    let left = now.slow_runs.saturating_sub(table.rows.len() as u64);
    if left > 0 {
        table.left_out = Some((left, "these are the slowest".to_string()));
    }
    Ok(Section::new("slow", "Slow runs").table(table))
}
