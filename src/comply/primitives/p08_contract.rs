//! P08: agreements and assessments are named where they are asked for.

use super::reading::{is_external, named, object, said_at, today};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static CONTRACT: Primitive = Primitive {
    id: "P08",
    name: "contract",
    about: "Whoever else gets sensitive data has an agreement that still holds, and large uses of special data an assessment.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    match asked.part.as_deref() {
        Some("dpia") => dpia(subject, asked, notes),
        Some("limited_data_set") => limited(subject, asked, notes),
        _ => agreements(subject, asked, notes),
    }
}

fn agreements(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let kinds = asked.any_of.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" or ");
    let mut seen = std::collections::BTreeSet::new();
    for way in &subject.routes {
        let target = way.target;
        let written = way.written().both(asked.classes());
        if written.is_empty() || asked.external && !is_external(target) || !seen.insert(&target.name) {
            continue;
        }
        let found = target.agreements.iter().find(|one| asked.any_of.contains(&one.kind));
        let over = found.and_then(|one| one.until).zip(today(subject)).is_some_and(|(until, today)| until < today);
        let note = match found {
            Some(one) if over => notes.fail(object(target), format!("its `{}` has ended", one.kind)),
            Some(one) if one.reference.is_none() => {
                notes.pass(object(target), format!("it has a `{}`; where it is filed is not said", one.kind))
            }
            Some(one) => notes.pass(
                object(target),
                format!("it has a `{}`, filed as {}", one.kind, one.reference.as_deref().unwrap_or_default()),
            ),
            None => notes.fail(object(target), format!("it gets {} and has no {kinds}", named(written))),
        };
        note.at(&target.place)
            .fix(format!("name it under `agreements` ({kinds}), or protect the data before it goes there"));
    }
}

fn dpia(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let most = asked.records.unwrap_or(10_000);
    for way in subject.carrying(asked.classes()) {
        let moved = subject.facts.runs.as_ref().map(|runs| {
            runs.iter().filter(|run| run.route == way.name()).map(|run| run.totals.read).max().unwrap_or(0)
        });
        let named = way.mapping.compliance.dpia.as_deref();
        let note = match (named, moved) {
            (Some(reference), _) => notes.pass(way.object(), format!("its assessment is {reference}")),
            (None, Some(moved)) if moved >= most => notes.fail(
                way.object(),
                format!("it moved {moved} records with special data at once, and no assessment is named"),
            ),
            (None, Some(moved)) => {
                notes.pass(way.object(), format!("it moves {moved} records at once: no large volume"))
            }
            (None, None) => notes.untested(way.object(), "how much it moves is not known"),
        };
        note.at(said_at(way)).fix("name the assessment: `compliance: { dpia: … }`");
    }
}

fn limited(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for way in &subject.routes {
        let said = &way.mapping.compliance;
        let limited = said.disclosure.as_ref().is_some_and(|kind| kind.value == "limited_data_set")
            || said.data_use_agreement.is_some();
        if !limited {
            continue;
        }
        let written = way.written().both(asked.classes());
        let direct: crate::record::ClassSet = written
            .iter()
            .filter(|id| id.class().regimes.iter().any(|regime| regime.starts_with("hipaa.id.")))
            .collect();
        let agreed = said.data_use_agreement.is_some() || way.target.agreements.iter().any(|one| one.kind == "dua");
        let note = if !direct.is_empty() {
            notes.fail(way.object(), format!("a limited data set carries {}", named(direct)))
        } else if !agreed {
            notes.fail(way.object(), "no data use agreement is named")
        } else {
            notes.pass(way.object(), "it has no direct identifiers and a data use agreement")
        };
        note.at(said_at(way)).fix("leave direct identifiers out, and name `data_use_agreement`");
    }
}
