//! P16: only what the purpose needs is carried.

use super::reading::{field, named, said_at};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::config::Which;

pub(super) static MINIMISATION: Primitive = Primitive {
    id: "P16",
    name: "minimisation",
    about: "Fields with sensitive data are named one by one, and none is written that the purpose does not need.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        if way.written().both(asked.classes()).is_empty() {
            continue;
        }
        let wide: Vec<&crate::error::Place> = way
            .mapping
            .copies
            .iter()
            .filter(|copy| matches!(copy.which, Which::Omit(_)))
            .map(|copy| &copy.place)
            .collect();
        let mut good = true;
        for leaf in &route.leaves {
            let classes = leaf.flow.classes.both(asked.classes());
            let copied =
                wide.iter().any(|place| place.line == leaf.rule.place.line && place.file == leaf.rule.place.file);
            if !classes.is_empty() && copied {
                good = false;
                notes
                    .fail(field(way, leaf), format!("{} is taken over with everything else", named(classes)))
                    .at(&leaf.rule.place)
                    .fix("name the fields that are needed (`pick`), or write a rule for this one");
            }
        }
        if let Some(needs) = way.mapping.compliance.needs {
            let more = way.written().both(asked.classes()).beyond(needs);
            if !more.is_empty() {
                good = false;
                notes
                    .fail(way.object(), format!("{} is written, which its purpose does not need", named(more)))
                    .at(said_at(way))
                    .fix("leave it out, or add it to `needs` with a reason in the ticket");
            }
        }
        if good {
            notes.pass(way.object(), "each sensitive field is named").at(&way.mapping.name.place);
        }
    }
}
