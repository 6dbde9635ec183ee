//! P27: what is kept has an end.

use super::reading::{keeps, named};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::record::ClassSet;

pub(super) static RETENTION: Primitive = Primitive {
    id: "P27",
    name: "retention",
    about: "Dead letters and targets with sensitive data have an end, and nothing is past it.",
    moments: &[Moment::Static, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let classes = asked.classes();
    match asked.part.as_deref() {
        Some("waiting") => return waiting(subject, asked, notes),
        Some("target") => targets(subject, classes, notes),
        _ => {
            for way in subject.routes.iter().filter(|way| !way.holds().both(classes).is_empty()) {
                let days = way.mapping.sync.on_error.keep_days.unwrap_or(subject.project.keep_days);
                notes
                    .pass(way.object(), format!("its dead letters are kept for {days} days"))
                    .at(&way.mapping.name.place);
            }
            if !asked.classes.is_empty() {
                targets(subject, classes, notes);
            }
        }
    }
    if let Some(letters) = &subject.facts.letters
        && !asked.wants("target")
    {
        notes
            .judge(
                letters.overdue == 0,
                "dead letters",
                match letters.overdue {
                    0 => format!("none of {} is past its time", letters.count),
                    overdue => format!("{overdue} of {} are past their time", letters.count),
                },
            )
            .fix("run a route, or `consign sync dlq discard`: letters past their time are deleted with the next run");
    }
}

/// The targets say how long they keep what is written.
fn targets(subject: &Subject<'_>, classes: ClassSet, notes: &mut Notes) {
    for way in &subject.routes {
        let written = way.written().both(classes);
        if written.is_empty() || !keeps(way.target) {
            continue;
        }
        let of_classes = subject
            .project
            .compliance
            .rules
            .retention
            .iter()
            .filter(|(around, _)| written.iter().any(|id| id.is_within(*around)));
        let most = of_classes.map(|(_, days)| *days).min();
        let said = way.mapping.compliance.retention_days.or(way.target.custody.retention_days);
        let note =
            match (said, most) {
                (Some(said), Some(most)) if said > most => notes
                    .fail(way.object(), format!("`{}` keeps it for {said} days, {most} are allowed", way.target.name)),
                (Some(said), _) => notes.pass(way.object(), format!("`{}` keeps it for {said} days", way.target.name)),
                (None, _) => notes
                    .fail(way.object(), format!("nobody says how long `{}` keeps {}", way.target.name, named(written))),
            };
        note.at(&way.mapping.to.place)
            .fix("say `retention` of the connector or of the mapping, and have the system delete by it");
    }
}

/// Authentication data that waits: sealed, and not for long.
fn waiting(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let most = asked.days.unwrap_or(30);
    for way in subject.routes.iter().filter(|way| !way.holds().both(asked.classes()).is_empty()) {
        let days = way.mapping.sync.on_error.keep_days.unwrap_or(subject.project.keep_days);
        let sealed = subject.facts.letters.as_ref().is_none_or(|letters| letters.sealed);
        let note = if !sealed {
            notes.fail(way.object(), "its dead letters hold authentication data in clear")
        } else if days > most {
            notes.fail(
                way.object(),
                format!("dead letters with authentication data wait for {days} days, {most} are allowed"),
            )
        } else {
            notes.pass(way.object(), format!("its dead letters are sealed and end after {days} days"))
        };
        note.at(&way.mapping.name.place).fix(format!("say `on_error: {{ keep: {most}d }}` or less"));
    }
}
