//! P31: each event says who, what, when, from where, to what, and how it ended.

use super::reading::log;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static LOG_FIELDS: Primitive = Primitive {
    id: "P31",
    name: "log_fields",
    about: "Each event has a kind, a time, an outcome, and, where somebody or a run did it, who, from where and to what.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    if log.incomplete.is_empty() {
        notes.pass("audit log", format!("all of {} events say what an event must say", log.events));
    }
    for (seq, lacks) in &log.incomplete {
        notes
            .fail(format!("event {seq}"), format!("it does not say: {lacks}"))
            .fix("say who and where: set USER where jobs start, `--resource` or `--route` for `consign audit add`");
    }
}
