//! P33: what was done is remembered long enough.

use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::DAY_NS;

pub(super) static LOG_RETENTION: Primitive = Primitive {
    id: "P33",
    name: "log_retention",
    about: "Events are kept as long as asked, the newest of them at hand, and holds are kept.",
    moments: &[Moment::Static, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let least = asked.days.unwrap_or(365);
    let audit = &subject.project.audit;
    let said = audit.retention_days;
    let held = audit.standards;
    let note = match said {
        None => notes.pass("audit.retention", "events are kept for ever"),
        Some(days) if days >= least => notes.pass("audit.retention", format!("events are kept for {days} days")),
        Some(days) if held && subject.standards_keep(least) => {
            notes.pass("audit.retention", format!("events are kept for {days} days, and longer as standards ask"))
        }
        Some(days) => notes.fail("audit.retention", format!("events are kept for {days} days, {least} are asked for")),
    };
    note.fix(format!("say `audit: {{ retention: {least}d }}` or more"));
    for (category, days) in audit.keep.iter().filter(|(_, days)| *days < least) {
        notes
            .fail(
                format!("audit.keep.{category}"),
                format!("events of this category are kept for {days} days, {least} are asked for"),
            )
            .fix(format!("say {least}d or more"));
    }
    let Some(log) = &subject.facts.log else { return };
    for what in &log.held_removed {
        notes
            .fail("audit log", what.clone())
            .fix("find out who removed events under a hold, and restore them from a copy");
    }
    let pruned = log.of("audit.pruned").next_back();
    if let (Some(told), Some(first)) = (pruned, log.first_ns) {
        let left = (told.time - first) / DAY_NS;
        notes
            .judge(
                left >= i64::from(least),
                format!("event {}", told.seq),
                format!("after pruning, {left} days of events were left"),
            )
            .fix("keep them longer");
    }
    if asked.wants("hold") {
        let (placed, released) = (log.count("audit.hold_placed"), log.count("audit.hold_released"));
        notes.pass("legal holds", format!("{placed} placed, {released} released, nothing removed under one"));
    }
    // All that is kept lies in one file that is asked at once: nothing is moved to an archive.
    if let Some(at_hand) = asked.and_days {
        notes.pass(
            "audit log",
            format!("{} events, the last {at_hand} days among them, can be asked at once", log.events),
        );
    }
}
