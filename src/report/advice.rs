//! What to change after a look at the numbers: each recommendation names the setting, and the numbers
//! that speak for it.

use super::document::{Cell, Remark, Tone};
use super::numbers::{OfRoute, Period};
use super::routes::RouteTold;
use super::shape::cell;
use crate::record::Calls;

/// What to change: each names the setting, and the numbers that speak for it.
pub(super) fn advice(now: &Period, before: &Period, routes: &[RouteTold]) -> Vec<Remark> {
    let mut advice = Vec::new();
    for (name, calls) in &now.calls {
        advice.extend(of_calls(name, calls, now, routes));
    }
    for (name, route) in &now.routes {
        advice.extend(of_route(name, route, before.routes.get(name)));
    }
    // The gravest first, else in the order of names.
    advice.sort_by_key(|remark| std::cmp::Reverse(remark.tone));
    together(advice)
}

/// What is said of more than two with the same words is said once.
fn together(advice: Vec<Remark>) -> Vec<Remark> {
    let mut joined: Vec<Remark> = Vec::new();
    for remark in &advice {
        let alike: Vec<&Remark> =
            advice.iter().filter(|other| other.what == remark.what && other.code == remark.code).collect();
        if alike.len() <= 2 {
            joined.push(remark.clone());
        } else if !joined.iter().any(|known| known.what == remark.what && known.code == remark.code) {
            let names: Vec<&str> = alike.iter().filter_map(|one| one.at.as_deref()).collect();
            let told: Vec<String> = alike
                .iter()
                .take(5)
                .map(|one| {
                    format!(
                        "{}: {}",
                        one.at.as_deref().unwrap_or_default(),
                        one.evidence.as_deref().unwrap_or_default()
                    )
                })
                .collect();
            let more = if alike.len() > 5 { "; …" } else { "" };
            joined.push(Remark {
                at: Some(names.join(", ")),
                evidence: Some(format!("{}{more}", told.join("; "))),
                ..remark.clone()
            });
        }
    }
    joined
}

fn of_calls(name: &str, calls: &Calls, now: &Period, routes: &[RouteTold]) -> Vec<Remark> {
    let mut found = Vec::new();
    let touching = || routes.iter().filter(|route| route.from.0 == name || route.to.0 == name);
    let busy: u64 = touching().filter_map(|route| now.routes.get(&route.name)).map(|of| of.sums.busy_ns).sum();
    let share = |part: u64| cell(&Cell::share(part, calls.calls));
    let good = calls.calls - calls.failed.min(calls.calls);
    if calls.throttled * 100 > calls.calls {
        // Calls that went well in a minute of running, less a tenth.
        let minutes = (busy.saturating_sub(calls.waited_ns) as f64 / 60e9).max(1.0 / 60.0);
        let rate = ((good as f64 / minutes) * 0.9).floor().clamp(1.0, 1_000_000.0);
        let rate = if busy > 0 { format!("{rate:.0}") } else { "…".to_string() };
        let fix =
            format!("set `limits: {{ rate: {rate} }}` on connector `{name}`: calls that are spaced are not refused");
        let what = "the system said \"not now\" to calls";
        found.push(
            Remark::new(Tone::Warn, what)
                .at(name)
                .evidence(format!(
                    "{} of {} calls ({}) were throttled, and {} were spent waiting",
                    count(calls.throttled),
                    count(calls.calls),
                    share(calls.throttled),
                    cell(&time(calls.waited_ns))
                ))
                .fix(fix),
        );
    } else if busy > 0 && calls.waited_ns * 10 > busy * 3 {
        found.push(
            Remark::new(Tone::Plain, "much of the running time is spent waiting for limits")
                .at(name)
                .evidence(format!("{} of {} of running", cell(&time(calls.waited_ns)), cell(&time(busy))))
                .fix(format!(
                    "raise `limits: {{ rate: … }}` of connector `{name}` if its account allows more, or give its routes different times in `sync: {{ schedule: … }}`"
                )),
        );
    }
    let own = calls.failed.saturating_sub(calls.throttled);
    if calls.retries * 20 > calls.calls && calls.retries > 10 {
        let fix = match own * 50 > calls.calls {
            true => format!(
                "look at it with `consign connect probe {name}`; `retry: {{ tries: … }}` on the connector says how often a call is made at most"
            ),
            false => format!(
                "nothing was lost: leave `retry: {{ tries: … }}` of connector `{name}` as it is, and ask who runs the system"
            ),
        };
        found.push(
            Remark::new(Tone::Warn, "calls have to be repeated")
                .at(name)
                .evidence(format!(
                    "{} of {} calls ({}) were repetitions",
                    count(calls.retries),
                    count(calls.calls),
                    share(calls.retries)
                ))
                .fix(fix),
        );
    }
    found
}

fn of_route(name: &str, route: &OfRoute, before: Option<&OfRoute>) -> Vec<Remark> {
    let mut found = Vec::new();
    let sums = &route.sums;
    let runs = sums.runs();
    if let Some((code, failed)) =
        route.codes.iter().max_by_key(|(code, count)| (**count, std::cmp::Reverse((*code).clone())))
        && *failed >= 3
    {
        found.push(
            Remark::new(Tone::Bad, "runs end with the same error again and again")
                .at(name)
                .code(code.clone())
                .evidence(format!("{} of {} runs", count(*failed), count(runs)))
                .fix(format!("`consign --explain {code}` says what it means and what to change")),
        );
    }
    if sums.died > 0 {
        found.push(
            Remark::new(Tone::Bad, "processes died in the middle of runs")
                .at(name)
                .evidence(format!("{} of {} runs never said how they ended", count(sums.died), count(runs)))
                .fix("nothing that was settled is lost; look for a memory or time limit of the scheduler, and give it more time than `CONSIGN_GRACE`"),
        );
    }
    let p95 = sums.rank(0.95).and_then(|ns| i64::try_from(ns).ok());
    if let (Some(p95), Some(interval)) = (p95, route.interval())
        && p95 > interval
    {
        found.push(
            Remark::new(Tone::Warn, "runs take longer than the time between two of them")
                .at(name)
                .evidence(format!("p95 is {}, it is due every {}", cell(&Cell::Time(p95)), cell(&Cell::Time(interval))))
                .fix(format!("make `sync: {{ schedule: {{ cron: … }} }}` of `{name}` less frequent")),
        );
    }
    if let Some(interval) = route.interval()
        && route.late_ns > interval
    {
        found.push(
            Remark::new(Tone::Warn, "runs begin later than they are due")
                .at(name)
                .evidence(format!("up to {} late", cell(&Cell::Time(route.late_ns))))
                .fix("start `consign sync run --due` more often, as `watch it from cron` in the guide has it"),
        );
    }
    if runs >= 24 && sums.empty * 10 >= runs * 9 {
        found.push(
            Remark::new(Tone::Plain, "almost every run finds nothing to do")
                .at(name)
                .evidence(format!("{} of {} runs read no record", count(sums.empty), count(runs)))
                .fix(format!("make `sync: {{ schedule: {{ cron: … }} }}` of `{name}` less frequent")),
        );
    }
    if sums.aside * 100 > sums.read && sums.aside > 0 {
        found.push(
            Remark::new(Tone::Warn, "many records are set aside")
                .at(name)
                .evidence(format!("{} of {} records read", count(sums.aside), count(sums.read)))
                .fix(format!("`consign sync dlq list --route {name}` says why; `sync: {{ on_error: {{ tolerate: … }} }}` says how many are no reason for exit 5")),
        );
    }
    let old = before.and_then(|before| before.sums.rank(0.95)).and_then(|ns| i64::try_from(ns).ok());
    let volume = before.map_or(0, |before| before.sums.read);
    if let (Some(new), Some(old)) = (p95, old)
        && new > old * 2
        && new > 5_000_000_000
        && sums.read <= volume * 3 / 2
    {
        found.push(
            Remark::new(Tone::Warn, "runs became slower, and not because there was more to do")
                .at(name)
                .evidence(format!("p95 went from {} to {}", cell(&Cell::Time(old)), cell(&Cell::Time(new))))
                .fix(format!("compare `consign report performance {name}` of both periods: calls that wait ask for `limits: {{ rate: … }}`, a slow target for a larger `sync: {{ batch_records: … }}`")),
        );
    }
    found
}

fn count(of: u64) -> String {
    cell(&Cell::Count(of))
}

fn time(ns: u64) -> Cell {
    Cell::Time(i64::try_from(ns).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::numbers::Sums;
    use super::super::numbers::tests::run;
    use super::*;
    use crate::store::RunState;

    #[test]
    fn advice_names_the_setting_and_the_numbers() {
        let mut route = OfRoute::default();
        for minute in 0..30 {
            route.sums.add(&run(RunState::Done, minute * 60, 90, 0));
            route.dues.push(minute * 60_000_000_000);
        }
        route.sums.lengths.sort_unstable();
        let found = of_route("orders", &route, None);
        let says = |what: &str, setting: &str| {
            let remark = found.iter().find(|remark| remark.what.contains(what)).expect(what);
            assert!(remark.fix.as_ref().unwrap().contains(setting), "{remark:?}");
            assert!(remark.evidence.as_ref().unwrap().contains(char::is_numeric), "{remark:?}");
        };
        says("longer than the time between", "schedule");
        says("finds nothing", "schedule");
        let mut calls = Calls::default();
        (calls.calls, calls.throttled, calls.failed, calls.waited_ns) = (1000, 200, 200, 5_000_000_000);
        let mut now = empty();
        now.routes.insert("orders".into(), route);
        let remark = of_calls("shop", &calls, &now, &[]).pop().unwrap();
        assert!(remark.fix.unwrap().contains("limits: { rate: "), "names the setting");
        assert!(remark.evidence.unwrap().contains("200 of 1,000 calls (20.0 %)"));
    }

    fn empty() -> Period {
        Period {
            from_ns: 0,
            until_ns: 1,
            routes: BTreeMap::new(),
            all: Sums::default(),
            columns: vec![],
            longest: vec![],
            volume: vec![],
            errors: BTreeMap::new(),
            slow: vec![],
            slow_runs: 0,
            calls: BTreeMap::new(),
            runs: 0,
        }
    }
}
