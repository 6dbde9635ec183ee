//! P49: incidents are recorded with what has to be known of them.

use super::reading::{age, log, told_after};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::{HOUR_NS, read_moment};

pub(super) static INCIDENT_RECORD: Primitive = Primitive {
    id: "P49",
    name: "incident_record",
    about: "Each incident says when it was discovered and whom it touches, and the authority is told in time or it says why not.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    let most = i64::from(asked.hours.unwrap_or(72)) * HOUR_NS;
    let mut incidents = 0;
    for told in log.of("custom.incident") {
        incidents += 1;
        let object = format!("event {}", told.seq);
        let discovered = told.detail("discovered").and_then(read_moment);
        let touches = told.details.contains_key("subjects") || told.details.contains_key("records");
        let Some(discovered) = discovered else {
            notes
                .fail(object, "it does not say when it was discovered")
                .fix("`--detail discovered=2026-01-31T12:00:00Z`");
            continue;
        };
        let about = told.resource.as_deref();
        let done = told_after(log, "custom.incident_notified", discovered, about)
            || told_after(log, "custom.resolved", told.time, about);
        let left = discovered + most - subject.now_ns;
        let note = if !touches {
            notes.fail(object, "it does not say how many people or records it touches")
        } else if done {
            notes.pass(object, "it was notified, or closed with a reason")
        } else if left < 0 {
            notes.fail(object, format!("the time to notify ended {} ago", age(-left)))
        } else {
            notes.warn(object, format!("{} are left to notify", age(left)))
        };
        note.fix("notify, and say so: `consign audit add --action incident_notified --resource …`");
    }
    if incidents == 0 {
        notes.pass("audit log", "no incident is recorded");
    }
}
