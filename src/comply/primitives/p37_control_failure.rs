//! P37: where a control fails, somebody is told and closes it.

use super::reading::{age, log, told_after};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::HOUR_NS;

pub(super) static CONTROL_FAILURE: Primitive = Primitive {
    id: "P37",
    name: "control_failure",
    about: "Failures of logging, detection, alerts and keys are recorded and answered in time.",
    moments: &[Moment::Periodic],
    run,
};

/// What tells that a control itself has failed.
const FAILURES: &[&str] =
    &["audit.verification_failed", "alert.failed", "audit.disabled", "key.compromised", "audit.log_replaced"];

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    let most = i64::from(asked.hours.unwrap_or(72));
    let mut open = 0;
    let of = FAILURES.iter().flat_map(|action| log.of(action));
    let mut count = 0;
    for told in of {
        count += 1;
        let about = told.resource.as_deref().or(told.route.as_deref());
        let closed = told_after(log, "audit.reviewed", told.time, None)
            || told_after(log, "custom.resolved", told.time, about)
            || told.action == "audit.disabled" && told_after(log, "audit.enabled", told.time, None);
        if !closed && subject.now_ns - told.time > most * HOUR_NS {
            open += 1;
            notes
                .fail(
                    format!("event {}", told.seq),
                    format!("`{}` has had no answer for {}", told.action, age(subject.now_ns - told.time)),
                )
                .fix("put it right, and say so: `consign audit add --action resolved --resource …`");
        }
    }
    if open == 0 {
        notes.pass("audit log", format!("{count} failures of controls, all answered or younger than {most} hours"));
    }
}
