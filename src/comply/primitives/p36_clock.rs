//! P36: the clock is right.

use super::reading::log;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static CLOCK: Primitive = Primitive {
    id: "P36",
    name: "clock",
    about: "Times in the log never go back without an event that says so.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    let steps = log.count("clock.step");
    for seq in &log.untold_steps {
        notes
            .fail(format!("event {seq}"), "the clock had gone back, and no event tells of it")
            .fix("synchronise the clock (NTP), and see what else happened then");
    }
    if log.untold_steps.is_empty() {
        let note = match steps {
            0 => notes.pass("audit log", "the clock never went back"),
            1 => notes.warn("audit log", "the clock went back once, and an event tells of it"),
            more => notes.warn("audit log", format!("the clock went back {more} times, and events tell of it")),
        };
        note.fix("synchronise the clock (NTP)");
    }
}
