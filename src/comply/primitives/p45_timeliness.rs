//! P45: what should have run did, or it is closed why not.

use super::reading::{age, told_after};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::{HOUR_NS, LogFacts};
use crate::config::Cron;

pub(super) static TIMELINESS: Primitive = Primitive {
    id: "P45",
    name: "timeliness",
    about: "Scheduled routes ran when they were due, and failed runs were made good or answered.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let late = i64::from(asked.hours.unwrap_or(24)) * HOUR_NS;
    let empty = LogFacts::default();
    let log = subject.facts.log.as_ref().unwrap_or(&empty);
    for way in &subject.routes {
        let Some(schedule) = &way.mapping.sync.schedule else { continue };
        let Some(runs) = &subject.facts.runs else {
            notes.untested(way.object(), "no runs are at hand");
            continue;
        };
        let last = runs.iter().filter(|run| run.route == way.name()).max_by_key(|run| run.started);
        let good =
            runs.iter().filter(|run| run.route == way.name() && run.state == "done").map(|run| run.started).max();
        let due = due_before(&schedule.cron.value, &schedule.timezone, subject.now_ns - late);
        let answered = |since: i64| told_after(log, "custom.resolved", since, Some(way.name()));
        let note = match (last, due) {
            (None, _) => notes.untested(way.object(), "it never ran"),
            (Some(run), _)
                if run.state != "done" && good.is_none_or(|good| good < run.started) && !answered(run.started) =>
            {
                if subject.now_ns - run.started > late {
                    notes.fail(
                        way.object(),
                        format!(
                            "its last run is {} since {}, and nobody answered",
                            run.state,
                            age(subject.now_ns - run.started)
                        ),
                    )
                } else {
                    notes.warn(way.object(), format!("its last run is {}", run.state))
                }
            }
            (Some(run), Some(due)) if run.started < due && !answered(due) => {
                notes.fail(way.object(), format!("it was due {} ago and has not run", age(subject.now_ns - due)))
            }
            _ => notes.pass(way.object(), "it ran when it was due"),
        };
        note.at(&schedule.cron.place)
            .fix("run it, or say why not: `consign audit add --action resolved --resource ROUTE`");
    }
}

/// When it was last due before a moment.
fn due_before(cron: &str, zone: &str, before_ns: i64) -> Option<i64> {
    let zone = jiff::tz::TimeZone::get(zone).ok()?;
    let before = jiff::Timestamp::from_nanosecond(i128::from(before_ns)).ok()?;
    let due = Cron::parse(cron).ok()?.previous_before(before, &zone)?;
    i64::try_from(due.as_nanosecond()).ok()
}
