//! Records before and after a mapping, as people may see them: what carries a class, or whose
//! name gives one away, is masked.

use super::examples::EXAMPLE_NOW;
use super::route::{Fault, Route, Verdict};
use crate::record::path::Step;
use crate::record::{Arena, ClassSet, Path, Row, Timestamp, Value, shown};

/// One record before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previewed {
    /// The record's number within its part, from 0.
    pub index: u32,
    /// Line of its first byte within its part, from 0.
    pub line: u32,
    /// What the mapping reads of it.
    pub before: Vec<Shown>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These target fields; missing ones are left out.
    Mapped(Vec<Shown>),
    /// `when` was false.
    Filtered,
    /// A rule would keep it back: its name.
    Withheld(String),
    /// It would wait in the dead letters.
    Rejected(Fault),
}

/// A field as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its path.
    pub field: String,
    /// Its type, as messages say it.
    pub kind: &'static str,
    /// Its text, or the mask of its class.
    pub text: String,
    /// Whether it is masked.
    pub masked: bool,
}

/// Applies the mapping to one record and shows both sides. Without `now`, the moment of the
/// examples is taken.
pub fn preview<'a>(route: &'a Route, row: &Row<'a>, arena: &'a Arena, now: Option<Timestamp>) -> Previewed {
    let mut out = Vec::with_capacity(route.columns.len());
    let verdict = route.apply(row, arena, now.unwrap_or(EXAMPLE_NOW).into(), &mut out);
    let show = |field: String, value: &Value<'_>, classes: ClassSet| Shown {
        field,
        kind: value.type_name(),
        text: shown::masked(value, classes),
        masked: !classes.is_empty() && !value.is_absent(),
    };
    let before = route
        .projection
        .paths
        .iter()
        .zip(row.slots)
        .zip(&route.masks.source)
        // The record as a whole is there for its contract, not for the eye.
        .filter(|((path, _), _)| !path.0.is_empty() || route.guard.as_ref().is_none_or(|guard| guard.slot().is_none()))
        .map(|((path, value), classes)| show(path.to_string(), value, *classes))
        .collect();
    let outcome = match verdict {
        Verdict::Filtered => Outcome::Filtered,
        Verdict::Withheld(rule) => Outcome::Withheld(route.rule_name(rule)),
        Verdict::Rejected(fault) => Outcome::Rejected(*fault),
        Verdict::Mapped => Outcome::Mapped(
            out.chunks(route.width())
                .enumerate()
                .flat_map(|(number, values)| {
                    let mut leaves = Vec::new();
                    for ((column, value), classes) in route.columns.iter().zip(values).zip(&route.masks.target) {
                        if !value.is_missing() {
                            inside(route, &mut column.path.clone(), value, *classes, &mut leaves);
                        }
                    }
                    // Of several records each field says which one it is of.
                    let name = move |path: Path| match route.explodes() {
                        true => format!("[{number}].{path}"),
                        false => path.to_string(),
                    };
                    leaves.into_iter().map(move |(path, value, classes)| show(name(path), &value, classes))
                })
                .collect(),
        ),
    };
    Previewed { index: row.index, line: row.line, before, outcome }
}

/// The values of a column, each with its path and what masks it: what is made by rules inside of the
/// column's own is shown one by one.
fn inside<'a>(
    route: &Route,
    path: &mut Path,
    value: &Value<'a>,
    classes: ClassSet,
    out: &mut Vec<(Path, Value<'a>, ClassSet)>,
) {
    let leaf = route.leaf_at(path);
    if let Some(leaf) = leaf.filter(|leaf| leaf.rule.blocks().is_empty()) {
        out.push((path.clone(), *value, leaf.mask));
        return;
    }
    match value {
        Value::Map(entries) => {
            for (key, value) in *entries {
                path.0.push(Step::Key((*key).to_owned()));
                inside(route, path, value, classes, out);
                path.0.pop();
            }
        }
        Value::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                path.0.push(Step::Index(index as i64));
                inside(route, path, item, classes, out);
                path.0.pop();
            }
        }
        _ => out.push((path.clone(), *value, classes)),
    }
}
