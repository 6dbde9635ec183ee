//! P06: data goes where it was allowed to go.

use super::reading::named;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static EGRESS: Primitive = Primitive {
    id: "P06",
    name: "egress",
    about: "What is sensitive is written only to systems that say they may hold it, and never in clear to people's messages.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let classes = asked.classes();
    let people = asked.wants("people");
    for way in &subject.routes {
        let written = way.written().both(classes);
        let target = way.target;
        if people {
            if target.custody.kind.is_some_and(|kind| kind.message()) {
                notes
                    .judge(
                        written.is_empty(),
                        way.object(),
                        match written.is_empty() {
                            true => format!("nothing of it goes in clear to the messages of `{}`", target.name),
                            false => format!("{} goes in clear to the messages of `{}`", named(written), target.name),
                        },
                    )
                    .at(&way.mapping.to.place)
                    .fix("mask it, or leave it out");
            }
            continue;
        }
        if let Some(allowed) = &subject.project.compliance.rules.destinations
            && !allowed.iter().any(|one| one.value == target.name)
        {
            notes
                .fail(way.object(), format!("`{}` is none of the `destinations` of the project", target.name))
                .at(&way.mapping.to.place)
                .fix("have it approved of and add it, or write elsewhere");
            continue;
        }
        if written.is_empty() {
            continue;
        }
        let beyond = target.clearance.map(|cleared| written.beyond(cleared));
        let note = match beyond {
            Some(beyond) if beyond.is_empty() => {
                notes.pass(way.object(), format!("`{}` says that it may hold {}", target.name, named(written)))
            }
            Some(beyond) => {
                notes.fail(way.object(), format!("`{}` does not say that it may hold {}", target.name, named(beyond)))
            }
            None => notes.fail(
                way.object(),
                format!("`{}` gets {} and does not say what it may hold", target.name, named(written)),
            ),
        };
        note.at(&way.mapping.to.place).fix("say under `clearance` what the system may hold, or protect the data");
    }
}
