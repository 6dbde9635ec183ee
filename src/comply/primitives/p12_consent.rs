//! P12: what rests on consent moves only with consent.

use super::reading::said_at;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static CONSENT: Primitive = Primitive {
    id: "P12",
    name: "consent",
    about: "A route that rests on consent holds back every record without it, and withdrawn consent counts.",
    moments: &[Moment::Static, Moment::Inline],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for way in &subject.routes {
        let said = &way.mapping.compliance;
        if way.carries().both(asked.classes()).is_empty() {
            continue;
        }
        if asked.wants("authorisation") {
            let purpose = said.purpose.as_ref().map(|purpose| purpose.value.as_str()).unwrap_or_default();
            let sold = way.target.custody.sells || asked.any_of.iter().any(|word| purpose.contains(word.as_str()));
            if sold && !way.written().both(asked.classes()).is_empty() {
                let there = said.authorisation.is_some();
                notes
                    .judge(
                        there,
                        way.object(),
                        if there {
                            "an authorisation is on file"
                        } else {
                            "health data goes to marketing or sale without an authorisation"
                        },
                    )
                    .at(said_at(way))
                    .fix("name `compliance: { authorisation: … }`, or leave the health data out");
            }
            continue;
        }
        let rests = said.basis.as_ref().is_some_and(|basis| basis.value == "consent")
            || said.condition.as_ref().is_some_and(|condition| condition.value == "explicit_consent");
        if !rests && said.consent.is_none() {
            continue;
        }
        let note = match &said.consent {
            None => notes.fail(way.object(), "it rests on consent, and no record is asked for it"),
            Some(gate) if gate.withdrawn.is_none() && gate.field.is_none() => {
                notes.fail(way.object(), "consent is looked at, and whether it was withdrawn is not")
            }
            Some(gate) if gate.purpose.is_none() && said.purpose.is_none() => {
                notes.fail(way.object(), "consent is looked at, and what it must be for is not said")
            }
            Some(_) => notes.pass(way.object(), "records without consent that still holds are held back"),
        };
        note.at(said_at(way)).fix("say `compliance: { purpose: …, consent: { field: …, given: …, withdrawn: … } }`");
    }
}
