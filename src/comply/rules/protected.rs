//! Whether what a mapping makes of a field still holds it in clear: asked of its expressions, before anything is
//! compiled as a whole.

use std::sync::Arc;

use super::attach::mentions;
use crate::comply::detect::Sight;
use crate::comply::names;
use crate::comply::protect::{Declared, Ring};
use crate::config::{Copying, FieldRule, Make, Mapping, Project, Which};
use crate::expr::{self, Bind, Binding, Environment, Keys};
use crate::record::{ClassSet, Path, Projection, Type};

/// What is known of a field's classes: what was declared, or what its name says.
pub(super) fn classes_of(field: &str, declared: ClassSet) -> ClassSet {
    if declared.is_empty() { names::classes(field) } else { declared }
}

/// Whether nothing of a field arrives in clear: every rule that reads it protects its classes.
pub(super) fn is_protected(field: &str, declared: ClassSet, mapping: &Mapping, project: &Project) -> bool {
    let classes = classes_of(field, declared);
    let mut reading = mapping.fields.iter().filter(|rule| reads(rule, field)).peekable();
    let whole = mapping.copies.iter().all(|copy| super::attach::leaves_out(copy, field));
    whole && reading.peek().is_some() && reading.all(|rule| protects(rule, field, classes, mapping, project))
}

/// Whether something of a field arrives in clear.
pub(super) fn arrives(field: &str, declared: Option<ClassSet>, mapping: &Mapping, project: &Project) -> bool {
    let classes = classes_of(field, declared.unwrap_or_default());
    let mut reading = mapping.fields.iter().filter(|rule| reads(rule, field));
    // What nobody declared is copied only where it is picked by name.
    let copied = |copy: &Copying| match copy.which {
        Which::Pick(_) => !super::attach::leaves_out(copy, field),
        Which::Omit(_) => declared.is_some() && !super::attach::leaves_out(copy, field),
    };
    mapping.copies.iter().any(copied) || reading.any(|rule| !protects(rule, field, classes, mapping, project))
}

/// Whether a rule reads a field.
pub(super) fn reads(rule: &FieldRule, field: &str) -> bool {
    let source = rule.source.as_ref().is_some_and(|source| Path::parse(field).is_ok_and(|path| path == source.value));
    source || rule.transform().is_some_and(|transform| mentions(&transform.text, field))
}

/// Whether what a rule makes of a field holds nothing of these classes in clear.
pub(super) fn protects(rule: &FieldRule, field: &str, classes: ClassSet, mapping: &Mapping, project: &Project) -> bool {
    if classes.is_empty() {
        return false;
    }
    let left = match &rule.make {
        Make::Value => classes,
        Make::Transform(transform) => arriving(&transform.text, field, classes, mapping, project),
        _ => classes,
    };
    // What `protect` says of a class is the last step of each rule.
    let policies = mapping.compliance.protect.iter().chain(&project.compliance.rules.protect);
    let acts: ClassSet = policies
        .filter(|one| one.action != crate::config::governance::Action::Allow)
        .flat_map(|one| left.iter().filter(|class| class.is_within(one.class)))
        .collect();
    left.without(acts).is_empty()
}

/// The classes that are left of a value, or of a field of the record, after an expression.
fn arriving(text: &str, field: &str, classes: ClassSet, mapping: &Mapping, project: &Project) -> ClassSet {
    let at = Path::parse(field).map(|path| (path, classes)).into_iter().collect();
    let record = Binding { field_classes: at, ..Binding::new("record", Type::Dyn, Bind::Record) };
    let value = Binding { classes, ..Binding::new("value", Type::Dyn, Bind::Value) };
    let environment = Environment {
        bindings: vec![record, value],
        keys: Keys::of(Arc::new(Ring::rehearsal(Declared::all(project))))
            .looking(Sight::usual())
            .on_behalf(&mapping.family),
        ..Environment::default()
    };
    let compiled = expr::compile(text, &environment, &mut Projection::default());
    compiled.map_or(classes, |program| classes.iter().filter(|class| program.classes().contains(*class)).collect())
}
