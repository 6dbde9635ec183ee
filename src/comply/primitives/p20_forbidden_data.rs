//! P20: what must never be stored is not.

use super::reading::{field, named, place_of, taken};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::expr::Effect;

pub(super) static FORBIDDEN_DATA: Primitive = Primitive {
    id: "P20",
    name: "forbidden_data",
    about: "Card authentication data goes into nothing that is written, encrypted or not.",
    moments: &[Moment::Static, Moment::Inline],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        let mut found = false;
        for leaf in &route.leaves {
            let here = taken(leaf).both(asked.classes());
            let gone = leaf.flow.passages.iter().any(|step| step.effect == Effect::Declassifies)
                && leaf.flow.classes.both(here).is_empty();
            if here.is_empty() || gone {
                continue;
            }
            found = true;
            notes
                .fail(field(way, leaf), format!("{} goes into what is written; no protection cures it", named(here)))
                .at(place_of(leaf))
                .fix("leave the field out");
        }
        if !found && !way.holds().both(asked.classes()).is_empty() {
            notes.pass(way.object(), "the source has it, and nothing of it is written").at(&way.mapping.name.place);
        } else if !found {
            notes.pass(way.object(), "there is none of it").at(&way.mapping.name.place);
        }
    }
}
