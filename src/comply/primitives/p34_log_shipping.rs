//! P34: what proves the log lies elsewhere too.

use super::reading::{age, log};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::HOUR_NS;

pub(super) static LOG_SHIPPING: Primitive = Primitive {
    id: "P34",
    name: "log_shipping",
    about: "A signed checkpoint was carried out of the state not long ago.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    let most = i64::from(asked.hours.unwrap_or(48));
    let note = match log.carried_ns.map(|ns| subject.now_ns - ns) {
        None => notes.fail("audit log", "no checkpoint was ever carried out of the state"),
        Some(since) if since > most * HOUR_NS => {
            notes.fail("audit log", format!("the last checkpoint was carried away {} ago", age(since)))
        }
        Some(since) => notes.pass("audit log", format!("a checkpoint was carried away {} ago", age(since))),
    };
    note.fix("say `audit: { checkpoints: [PLACE] }` and run `consign audit checkpoint` each day");
}
