//! P17: sensitive data is unreadable where it is kept.

use super::reading::{field, keeps, named, place_of};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::config::AtRest;
use crate::record::{ClassId, ClassSet};

pub(super) static PROTECTED_AT_REST: Primitive = Primitive {
    id: "P17",
    name: "protected_at_rest",
    about: "No value of these classes arrives in clear in a system that keeps it, unless that system encrypts what it keeps itself.",
    moments: &[Moment::Static, Moment::Inline],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let classes = asked.classes();
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        if !keeps(way.target) || way.carries().both(classes).is_empty() {
            continue;
        }
        let at_rest = way.target.custody.at_rest;
        let clear: Vec<_> = route.leaves.iter().filter(|leaf| !leaf.flow.classes.both(classes).is_empty()).collect();
        if asked.wants("disk") {
            if at_rest == Some(AtRest::Disk) {
                notes
                    .judge(
                        clear.is_empty(),
                        way.object(),
                        match clear.is_empty() {
                            true => "what lies on the encrypted disk is protected by itself".to_string(),
                            false => format!(
                                "only the disk of `{}` is encrypted: who reads its files reads the data",
                                way.target.name
                            ),
                        },
                    )
                    .at(&way.target.place)
                    .fix("protect the values: tokenise, truncate or encrypt them in the mapping");
            }
            continue;
        }
        if asked.wants("pair") {
            let name = ClassId::named("pii.name").map_or(ClassSet::NONE, ClassSet::one);
            let named_too = route.leaves.iter().any(|leaf| !leaf.flow.classes.both(name).is_empty());
            let both = named_too && !clear.is_empty() && at_rest != Some(AtRest::Store);
            notes
                .judge(
                    !both,
                    way.object(),
                    match both {
                        true => format!("a name stands beside {}, both in clear", named(way.written().both(classes))),
                        false => "no name stands beside such a number, both in clear".to_string(),
                    },
                )
                .at(&way.mapping.to.place)
                .fix("encrypt, tokenise or mask one of the two");
            continue;
        }
        if clear.is_empty() {
            notes.pass(way.object(), "nothing of it arrives in clear").at(&way.mapping.to.place);
        } else if at_rest == Some(AtRest::Store) {
            notes
                .pass(way.object(), format!("`{}` encrypts what it keeps, with keys of its own", way.target.name))
                .at(&way.target.place);
        } else {
            for leaf in clear {
                notes
                    .fail(field(way, leaf), format!("{} arrives in clear in `{}`", named(leaf.flow.classes.both(classes)), way.target.name))
                    .at(place_of(leaf))
                    .fix("protect it: tokenise, encrypt, mask or truncate it; or say `at_rest: store` if the system encrypts it with keys of its own");
            }
        }
    }
}
