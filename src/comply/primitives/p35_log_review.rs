//! P35: what was recorded is looked through, and what stands out is closed.

use super::reading::{age, log, told_after};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::HOUR_NS;

pub(super) static LOG_REVIEW: Primitive = Primitive {
    id: "P35",
    name: "log_review",
    about: "The log was reviewed lately, by a person or by this check, and no alert is older than it may be without an answer.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    let most = i64::from(asked.hours.unwrap_or(24));
    if asked.wants("alerts") {
        let mut alerts = 0;
        for told in log.of("rule.fired").chain(log.of("alert.sent")).chain(log.of("compliance.refused")) {
            alerts += 1;
            let about = told.resource.as_deref().or(told.route.as_deref());
            let closed = told_after(log, "audit.reviewed", told.time, None)
                || told_after(log, "custom.resolved", told.time, about);
            if !closed && subject.now_ns - told.time > most * HOUR_NS {
                notes
                    .fail(
                        format!("event {}", told.seq),
                        format!("`{}` has had no answer for {}", told.action, age(subject.now_ns - told.time)),
                    )
                    .fix("look into it, and say so: `consign audit add --action resolved --resource …`");
                alerts -= 1;
            }
        }
        notes.pass("audit log", format!("{alerts} alerts are answered, or younger than {most} hours"));
        return;
    }
    let last = log.last("audit.reviewed").max(log.last("compliance.checked"));
    let note = match last.map(|ns| subject.now_ns - ns) {
        None => notes.fail("audit log", "it was never reviewed"),
        Some(since) if since > most * HOUR_NS => {
            notes.fail("audit log", format!("it was last reviewed {} ago, {most} hours are allowed", age(since)))
        }
        Some(since) => notes.pass("audit log", format!("it was last reviewed {} ago", age(since))),
    };
    note.fix("run `consign audit check` by a scheduler: it reviews the log and records that it did");
}
