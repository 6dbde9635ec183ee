//! P11: each use has a purpose that fits and a lawful basis.

use super::reading::said_at;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static PURPOSE: Primitive = Primitive {
    id: "P11",
    name: "purpose",
    about: "Each route with personal data says what for, its source allows that, and a lawful basis is named.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let basis = asked.wants("basis");
    for way in subject.carrying(asked.classes()) {
        if way.written().both(asked.classes()).is_empty() {
            continue;
        }
        let said = &way.mapping.compliance;
        let note = if basis {
            match &said.basis {
                Some(basis) => notes.pass(way.object(), format!("its basis is `{}`", basis.value)),
                None => notes.fail(way.object(), "personal data is written and no lawful basis is named"),
            }
        } else {
            match (&said.purpose, &way.source.custody.purposes) {
                (None, _) => notes.fail(way.object(), "personal data is written and no purpose is named"),
                (Some(purpose), Some(allowed)) if !allowed.contains(&purpose.value) => notes.fail(
                    way.object(),
                    format!("its purpose `{}` is none of those of `{}`", purpose.value, way.source.name),
                ),
                (Some(purpose), Some(_)) => {
                    notes.pass(way.object(), format!("`{}` allows its purpose `{}`", way.source.name, purpose.value))
                }
                (Some(purpose), None) => notes.warn(
                    way.object(),
                    format!(
                        "its purpose is `{}`; what `{}` may be used for is not said",
                        purpose.value, way.source.name
                    ),
                ),
            }
        };
        let (key, more) = if basis { ("basis", "") } else { ("purpose", ", and `purposes` of the source") };
        note.at(said_at(way)).fix(format!("say `compliance: {{ {key}: … }}` in the mapping{more}"));
    }
}
