//! P29: no live data reaches a test system in clear.

use super::reading::{environment_of, field, is_test, named, place_of};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static TEST_DATA: Primitive = Primitive {
    id: "P29",
    name: "test_data",
    about: "What goes from production to a test system is protected, or is no sensitive data.",
    moments: &[Moment::Static, Moment::Inline],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        let (from, to) = (environment_of(subject, way.source), environment_of(subject, way.target));
        if !is_test(to) || is_test(from) {
            continue;
        }
        let mut good = true;
        for leaf in &route.leaves {
            let here = leaf.flow.classes.both(asked.classes());
            if here.is_empty() {
                continue;
            }
            good = false;
            notes
                .fail(field(way, leaf), format!("{} goes from `{from}` to `{to}` in clear", named(here)))
                .at(place_of(leaf))
                .fix("mask, tokenise or generalise it on its way to tests");
        }
        if good {
            notes
                .pass(way.object(), format!("nothing of it goes from `{from}` to `{to}` in clear"))
                .at(&way.mapping.to.place);
        }
    }
}
