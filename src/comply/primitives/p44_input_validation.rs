//! P44: what comes in is validated.

use super::reading::few;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static INPUT_VALIDATION: Primitive = Primitive {
    id: "P44",
    name: "input_validation",
    about: "Each route knows the types of what it reads, and records that do not fit are kept back.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        let read = route.leaves.iter().filter(|leaf| leaf.source.is_some());
        let open: Vec<String> = read
            .filter_map(|leaf| leaf.source.as_ref().filter(|source| !way.declares(source) && leaf.rule.kind.is_none()))
            .map(ToString::to_string)
            .collect();
        let tolerated = way.mapping.sync.on_error.tolerate_ppm;
        let note = if !open.is_empty() {
            notes.fail(way.object(), format!("values of any type go through: {}", few(open.iter().map(String::as_str))))
        } else if tolerated > 100_000 {
            notes
                .warn(way.object(), format!("{} % of the records may be rejected with nobody told", tolerated / 10_000))
        } else {
            notes.pass(way.object(), "every field has a type, and what does not fit is kept back")
        };
        note.at(&way.mapping.name.place)
            .fix("declare the fields of the source stream with their types, or say `type` in the rules");
    }
}
