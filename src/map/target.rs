//! The target record as a whole: no two rules write one place, every required place is
//! written, the key can be relied on.

use super::mend;
use super::shape::{SourceShape, TargetShape};
use crate::config::{FieldRule, Mapping, Mode};
use crate::error::codes::map as codes;
use crate::error::{Edit, Finding, Findings, Place};
use crate::record::path::Step;
use crate::record::{Column, Field, Path, Type};

/// Checks the target paths of all rules against each other and against the target stream.
/// Returns for each rule the type that the target declares there.
pub(super) fn check_paths(
    rules: &[FieldRule],
    kind: &Type,
    name: &str,
    flat: bool,
    findings: &mut Findings,
) -> Vec<Type> {
    let mut declared = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let (path, place) = (&rule.target.value, &rule.target.place);
        if path.0.iter().any(|step| !matches!(step, Step::Key(_))) {
            findings.push(
                Finding::error(&codes::TARGET_PATH, place.clone(), format!("`{path}` names an element of a list")).fix(
                    "write the list with `for_each` or `list` on a rule for it, or with a transform that yields it",
                ),
            );
        } else if flat && path.0.len() > 1 {
            findings.push(
                Finding::error(
                    &codes::TARGET_PATH,
                    place.clone(),
                    format!("`{path}` is a map inside a map, but records of `{name}` are flat"),
                )
                .fix(format!("name one column, such as `{}`", names(path).join("_"))),
            );
        }
        for (earlier, other) in rules[..index].iter().enumerate() {
            let there = &other.target.value;
            let line = other.target.place.line;
            let (first, second) = (earlier + 1, index + 1);
            if there == path {
                findings.push(
                    Finding::error(
                        &codes::DUPLICATE_TARGET,
                        place.clone(),
                        format!("rules {first} (line {line}) and {second} both write `{path}`"),
                    )
                    .fix("remove one of them, or join both in one transform"),
                );
                break;
            }
            if there.is_prefix_of(path) || path.is_prefix_of(there) {
                let (inner, outer) = if there.is_prefix_of(path) { (path, there) } else { (there, path) };
                findings.push(
                    Finding::error(
                        &codes::NESTED_TARGET,
                        place.clone(),
                        format!(
                            "`{inner}` lies inside `{outer}`, and rules {first} (line {line}) and {second} write both"
                        ),
                    )
                    .fix("write either the whole or its parts"),
                );
                break;
            }
        }
        declared.push(match kind.at(path) {
            Ok(found) => found,
            Err((key, known)) => {
                let cause = if known.is_empty() {
                    format!("`{path}`: there is no `{key}` inside a plain value of `{name}`")
                } else {
                    format!("`{name}` has no field `{key}`")
                };
                let mut finding = Finding::error(&codes::UNKNOWN_TARGET, place.clone(), cause)
                    .did_you_mean(&key, known.iter().copied());
                finding.fix.get_or_insert_with(|| match known.is_empty() {
                    false => format!("it has: {}; or declare it with the stream", known.join(", ")),
                    true => "name the field itself, or correct its declaration".into(),
                });
                findings.push(finding);
                Type::Dyn
            }
        });
    }
    declared
}

/// Checks that each required field of the target has a rule, even one that has mistakes of its
/// own.
pub(super) fn check_written(
    mapping: &Mapping,
    rules: &[FieldRule],
    source: &SourceShape,
    target: &TargetShape,
    findings: &mut Findings,
) {
    // Neither makes a record: what they leave out is there already, or goes.
    if matches!(mapping.sync.mode, Mode::Update | Mode::Delete) {
        return;
    }
    let mend = |field: &Field| mend::add_rule(mapping, field, &source.fields);
    check_inside(rules, &target.fields, &target.name, &mapping.to.place, findings, mend);
}

/// The same for the fields of an object; `at` is where what is missing is said.
pub(super) fn check_inside(
    rules: &[FieldRule],
    fields: &[Field],
    name: &str,
    at: &Place,
    findings: &mut Findings,
    mend: impl Fn(&Field) -> Option<Edit>,
) {
    for field in fields.iter().filter(|field| field.required) {
        let path = Path::key(&field.name);
        if !rules.iter().any(|rule| path.is_prefix_of(&rule.target.value)) {
            findings.push(
                Finding::error(
                    &codes::MISSING_TARGET,
                    at.clone(),
                    format!("`{name}` requires `{}`, and no rule writes it", field.name),
                )
                .fix(format!("add a rule with `target: {path}`"))
                .edit(mend(field)),
            );
        }
    }
}

/// Checks that the rules of required fields of the target and of its key give them values.
/// Returns the columns of the key.
pub(super) fn check_filled(
    mapping: &Mapping,
    rules: &[FieldRule],
    target: &TargetShape,
    columns: &[Column],
    findings: &mut Findings,
) -> Vec<usize> {
    for field in target.fields.iter().filter(|field| field.required) {
        let path = Path::key(&field.name);
        let written: Vec<usize> = (0..columns.len()).filter(|at| path.is_prefix_of(&columns[*at].path)).collect();
        match written.as_slice() {
            [one] if columns[*one].path == path && !columns[*one].required && !field.nullable => findings.push(
                Finding::error(
                    &codes::MISSING_TARGET,
                    rules[*one].target.place.clone(),
                    format!("`{}` requires `{}`, but the rule may leave it missing or null", target.name, field.name),
                )
                .fix("give the rule a `default`, or say `required: true`")
                .edit(mend::add_key(&rules[*one], "required: true")),
            ),
            _ => {}
        }
    }
    check_key(mapping, rules, target, columns, findings)
}

fn check_key(
    mapping: &Mapping,
    rules: &[FieldRule],
    target: &TargetShape,
    columns: &[Column],
    findings: &mut Findings,
) -> Vec<usize> {
    let named = &mapping.sync.key;
    let key: Vec<(&Path, &Place)> = if named.is_empty() {
        target.key.iter().map(|path| (path, &mapping.to.place)).collect()
    } else {
        named.iter().map(|path| (&path.value, &path.place)).collect()
    };
    let keyed = mapping.sync.mode.keyed();
    // That upsert has a key at all is checked with the configuration.
    let mut found = Vec::with_capacity(key.len());
    for (path, place) in key {
        let Some(at) = columns.iter().position(|column| column.path == *path) else {
            // A key that only the target declares matters to modes that use one; that a field it requires
            // is written by no rule has been said.
            let required = |field: &crate::record::Field| field.required && Path::key(&field.name) == *path;
            let made = !matches!(mapping.sync.mode, Mode::Update | Mode::Delete);
            let said = made && named.is_empty() && target.fields.iter().any(required);
            if (keyed && !said) || !named.is_empty() {
                let known: Vec<String> = columns.iter().map(|column| column.path.to_string()).collect();
                let mut finding = Finding::error(
                    &codes::KEY_NOT_FILLED,
                    place.clone(),
                    format!("no rule writes the key column `{path}`"),
                )
                .did_you_mean(&path.to_string(), known.iter().map(String::as_str));
                finding.fix.get_or_insert_with(|| format!("add a rule with `target: {path}` and `required: true`"));
                findings.push(finding);
            }
            continue;
        };
        if keyed && !columns[at].required {
            findings.push(
                Finding::error(
                    &codes::KEY_NOT_REQUIRED,
                    rules[at].target.place.clone(),
                    format!("`{path}` is the key, but may be missing or null"),
                )
                .fix("say `required: true` on this rule: records without a key are then rejected")
                .edit(mend::add_key(&rules[at], "required: true")),
            );
        }
        found.push(at);
    }
    found
}

fn names(path: &Path) -> Vec<&str> {
    path.0
        .iter()
        .filter_map(|step| match step {
            Step::Key(name) => Some(name.as_str()),
            Step::Index(_) | Step::Each => None,
        })
        .collect()
}
