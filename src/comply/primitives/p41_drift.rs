//! P41: configurations are those that were approved of.

use super::reading::days;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::DAY_NS;

pub(super) static DRIFT: Primitive = Primitive {
    id: "P41",
    name: "drift",
    about: "The configuration in use is a known one, and what was changed in haste is approved of soon after.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let within = i64::from(asked.days.unwrap_or(5)) * DAY_NS;
    let approved = |hash: &str| subject.facts.approvals.iter().find(|one| one.hash == hash);
    if let Some(now) = &subject.facts.config {
        let note = match approved(now) {
            Some(_) => notes.pass("configuration", "it is one that was approved of"),
            None if subject.facts.approvals.is_empty() => notes.untested("configuration", "no approvals are at hand"),
            None => notes.fail("configuration", "it is not one that was approved of"),
        };
        note.fix("have it approved of: a line in the file of `compliance: { approvals }`");
    }
    let Some(log) = &subject.facts.log else { return };
    for told in log.of("config.seen") {
        let hash = told.config.as_deref().or(told.resource.as_deref()).unwrap_or_default();
        let note = match approved(hash) {
            Some(one) if one.at.is_none_or(|at| at <= told.time) => {
                notes.pass(format!("event {}", told.seq), "it was approved of before it was used")
            }
            Some(one) if one.at.is_some_and(|at| at - told.time <= within) => {
                notes.warn(format!("event {}", told.seq), "it was approved of after it was used, in time")
            }
            Some(_) => notes.fail(format!("event {}", told.seq), "it was approved of too late"),
            None if subject.facts.approvals.is_empty() => continue,
            None if subject.now_ns - told.time <= within => {
                notes.warn(format!("event {}", told.seq), "a configuration is in use that nobody approved of yet")
            }
            None => notes.fail(
                format!("event {}", told.seq),
                format!("a configuration was used {} ago that nobody approved of", days(subject.now_ns - told.time)),
            ),
        };
        note.fix("have it approved of, or go back to the one before");
    }
}
