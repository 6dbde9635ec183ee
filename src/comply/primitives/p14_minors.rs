//! P14: data of children moves only as their parents allow.

use super::reading::said_at;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::record::{ClassId, ClassSet};

pub(super) static MINORS: Primitive = Primitive {
    id: "P14",
    name: "minors",
    about: "Routes on consent, or to targets that sell, know how old people are and who agreed for children.",
    moments: &[Moment::Static, Moment::Inline],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let sale = asked.wants("sale");
    for way in &subject.routes {
        let said = &way.mapping.compliance;
        let rests = said.basis.as_ref().is_some_and(|basis| basis.value == "consent");
        let people = [ClassId::named("pii")].into_iter().flatten().collect::<ClassSet>();
        let personal = !way.written().both(within(people)).is_empty();
        let concerned = if sale { way.target.custody.sells && personal } else { rests && personal };
        if !concerned {
            continue;
        }
        let ages: ClassSet =
            ["pii.birth_date", "pii.age", "pii.child"].iter().filter_map(|name| ClassId::named(name)).collect();
        let known = !way.holds().both(ages).is_empty();
        let note = match (&said.age, &said.parental, known) {
            (Some(_), Some(_), _) => notes.pass(way.object(), "children's records need the agreement of their parents"),
            (Some(_), None, _) if sale && said.consent.is_some() => {
                notes.pass(way.object(), "people below the age have to opt in")
            }
            (Some(_), None, _) => notes.fail(way.object(), "ages are looked at, and whether parents agreed is not"),
            (None, _, true) => notes.fail(way.object(), "the source knows how old people are, and nobody looks"),
            (None, _, false) => notes.warn(way.object(), "nobody knows whether there are children among these people"),
        };
        note.at(said_at(way)).fix(format!(
            "say `compliance: {{ age: FIELD, parental: FIELD, age_of_consent: {} }}`",
            asked.years.unwrap_or(16)
        ));
    }
}

fn within(around: ClassSet) -> ClassSet {
    (0..crate::record::class::ALL.len() as u8)
        .map(ClassId)
        .filter(|id| around.iter().any(|one| id.is_within(one)))
        .collect()
}
