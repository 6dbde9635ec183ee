//! Which data classes a part of a binding has.

use crate::expr::Binding;
use crate::record::path::Step;
use crate::record::{ClassSet, Path, Type};

/// The classes at a path of a binding: those of everything around it and everything below it.
pub(super) fn classes_at(binding: &Binding, path: &Path) -> ClassSet {
    let mut listed = ClassSet::NONE;
    let mut found = ClassSet::NONE;
    for (place, classes) in &binding.field_classes {
        listed = listed.union(*classes);
        if overlaps(place, path) {
            found = found.union(*classes);
        }
    }
    // What is known of the whole and not tied to a path may be anywhere.
    found = found.union(if path.0.is_empty() { binding.classes } else { binding.classes.without(listed) });
    let mut here = &binding.kind;
    for step in &path.0 {
        here = match (here, step) {
            (Type::Record { fields, .. }, Step::Key(name)) => match fields.iter().find(|f| f.name == *name) {
                Some(field) => {
                    found = found.union(field.classes);
                    &field.kind
                }
                None => return found,
            },
            (Type::List(inner) | Type::Map(inner), _) => inner,
            _ => return found,
        };
    }
    found.union(classes_below(here))
}

fn classes_below(kind: &Type) -> ClassSet {
    match kind {
        Type::Record { fields, .. } => {
            fields.iter().fold(ClassSet::NONE, |set, f| set.union(f.classes).union(classes_below(&f.kind)))
        }
        Type::List(inner) | Type::Map(inner) => classes_below(inner),
        _ => ClassSet::NONE,
    }
}

/// Whether one path leads to the other or to something in or around it.
fn overlaps(a: &Path, b: &Path) -> bool {
    a.0.iter().zip(&b.0).all(|steps| match steps {
        (Step::Key(a), Step::Key(b)) => a == b,
        (Step::Key(_), _) | (_, Step::Key(_)) => false,
        _ => true,
    })
}
