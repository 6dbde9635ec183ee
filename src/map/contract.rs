//! The contracts of a mapping at run time: what is read meets the schema of its source before
//! anything else looks at it, what is written meets that of its target, and fields that nobody
//! declared are told apart. Costs nothing where no stream names a schema and nobody asks for drift.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::convert::{Reading, convert};
use super::route::{Fault, Masks, Route};
use super::shape::{SourceShape, TargetShape, classes_at};
use crate::config::{Drift, Mapping};
use crate::error::codes::map as codes;
use crate::error::{Code, Finding, Findings};
use crate::record::contract::{Broken, Contract, Known, undeclared};
use crate::record::path::Step;
use crate::record::{Arena, ClassSet, Column, Field, Path, Projection, Type, Value, shown, suspect};

/// Most undeclared fields that are told apart; those beyond are counted together.
const MOST_DRIFTED: usize = 100;

/// Undeclared fields that were seen, and in how many records.
pub type Drifted = BTreeMap<String, u64>;

/// What a route is held to.
#[derive(Debug)]
pub(super) struct Guard {
    /// The slot of the whole record.
    slot: Option<usize>,
    source: Option<Arc<Contract>>,
    drift: Option<(Drift, Known)>,
    target: Option<(Arc<Contract>, Places)>,
    /// Of a format that holds text alone: what its columns are read as.
    text: Option<Vec<Field>>,
    /// Fields of a flat target that cannot be null there: null is nothing in it.
    never_null: Option<Vec<String>>,
    /// Classes of paths of the source.
    known: Vec<(Path, ClassSet)>,
}

/// The fields of the target record, by name.
type Places = Vec<(String, Nest)>;

/// A place of the target record: a column, or a map of such.
#[derive(Debug)]
enum Nest {
    Column(usize),
    Map(Vec<(String, Nest)>),
}

impl Guard {
    /// For a mapping between two streams; `None` if nothing is asked for. The whole record gets a slot
    /// where it is looked at.
    pub(super) fn new(
        mapping: &Mapping,
        source: &SourceShape,
        target: &TargetShape,
        known: &[(Path, ClassSet)],
        projection: &mut Projection,
        findings: &mut Findings,
    ) -> Option<Self> {
        let fields = Known::of_fields(&source.fields);
        let drift = mapping.drift.as_ref().and_then(|policy| {
            let known = match &source.schema {
                Some(contract) => Known::of_contract(contract).and(fields),
                None => fields,
            };
            if known.is_blind() {
                let cause = format!("`{}` declares no fields: none could be told from others", source.name);
                findings.push(
                    Finding::error(&codes::DRIFT_UNKNOWABLE, policy.place.clone(), cause)
                        .fix("name a `schema` of the stream, or declare its `fields`"),
                );
                return None;
            }
            Some((policy.value, known))
        });
        let looks = source.schema.is_some() || drift.is_some();
        if !looks && target.schema.is_none() {
            return None;
        }
        let nullable = |field: &&Field| !field.nullable;
        Some(Self {
            slot: looks.then(|| projection.slot(&Path::default(), Type::Dyn)),
            source: source.schema.clone(),
            drift,
            // The columns are known once the rules are compiled.
            target: target.schema.clone().map(|contract| (contract, Vec::new())),
            text: source.text_fields.then(|| source.fields.clone()),
            never_null: target
                .flat
                .then(|| target.fields.iter().filter(nullable).map(|field| field.name.clone()).collect()),
            known: known.to_vec(),
        })
    }

    /// Takes notice of the columns of the target.
    pub(super) fn columns(&mut self, columns: &[Column]) {
        if let Some((_, nest)) = &mut self.target {
            *nest = Nest::of(columns.iter().enumerate().map(|(at, column)| (at, column.path.0.as_slice())).collect());
        }
    }

    /// The slot of the whole record, if it is looked at.
    pub(super) fn slot(&self) -> Option<usize> {
        self.slot
    }

    fn record<'a>(&self, slots: &[Value<'a>], arena: &'a Arena) -> Option<Value<'a>> {
        let record = *slots.get(self.slot?)?;
        let (Some(fields), Value::Map(entries)) = (&self.text, record) else { return Some(record) };
        // Text is what its column is declared as; an empty one is nothing.
        let field = |name: &str| fields.iter().find(|field| field.name == name);
        let read = entries.iter().map(|(name, value)| {
            let value = match (field(name), value) {
                (Some(field), Value::Null) if !field.nullable => Value::Missing,
                (Some(field), value) => convert(*value, &field.kind, Reading::Text, arena).unwrap_or(*value),
                (None, value) => *value,
            };
            (*name, value)
        });
        Some(Value::Map(arena.alloc_slice_fill_iter(read)))
    }

    /// Whether a record as read keeps its contract; `Err` says why not.
    pub(super) fn source<'a>(&self, route: &Route, slots: &[Value<'a>], arena: &'a Arena) -> Result<(), Box<Fault>> {
        let Some(record) = self.record(slots, arena) else { return Ok(()) };
        let accepts = matches!(self.drift, Some((Drift::AcceptNew, _)));
        if let Some((_, known)) = self.drift.as_ref().filter(|_| !accepts) {
            let mut found = None;
            undeclared(known, record, &mut |way| {
                found = Some(way.to_string());
                false
            });
            if let Some(field) = found {
                let cause = format!("`{field}` is not declared");
                return Err(fault(route, &codes::DRIFT, Some(field), cause));
            }
        }
        let Some(contract) = &self.source else { return Ok(()) };
        contract.check(record, accepts).map_err(|broken| self.broken_source(route, &broken))
    }

    /// Counts the fields of a record that nobody declared, where that is asked for.
    fn count<'a>(&self, slots: &[Value<'a>], drifted: &mut Drifted) {
        let Some((Drift::AcceptNew, known)) = &self.drift else { return };
        let Some(record) = self.slot.and_then(|slot| slots.get(slot)) else { return };
        // A field is counted once for each record, however many elements of a list have it.
        let mut seen: Vec<String> = Vec::new();
        undeclared(known, *record, &mut |way| {
            let name = way.to_string();
            if !seen.contains(&name) {
                seen.push(name);
            }
            seen.len() < MOST_DRIFTED
        });
        for name in seen {
            let full = drifted.len() >= MOST_DRIFTED && !drifted.contains_key(&name);
            *drifted.entry(if full { "(others)".to_owned() } else { name }).or_default() += 1;
        }
    }

    /// Whether the values of a target record keep its contract; `Err` says why not.
    pub(super) fn target<'a>(&self, route: &Route, values: &[Value<'a>], arena: &'a Arena) -> Result<(), Box<Fault>> {
        let Some((contract, nest)) = &self.target else { return Ok(()) };
        let record = built(nest, values, self.never_null.as_deref(), arena).unwrap_or(Value::Map(&[]));
        contract.check(record, false).map_err(|broken| broken_target(route, &broken))
    }

    #[cold]
    fn broken_source(&self, route: &Route, broken: &Broken<'_>) -> Box<Fault> {
        let open = classes_at(&self.known, &broken.path).is_empty() && suspect::by_path(&broken.path).is_empty();
        let cause = told(broken, open);
        fault(route, &codes::CONTRACT_SOURCE, Some(broken.path.to_string()), cause)
    }
}

#[cold]
fn broken_target(route: &Route, broken: &Broken<'_>) -> Box<Fault> {
    let around = |path: &Path| path.is_prefix_of(&broken.path) || broken.path.is_prefix_of(path);
    let Masks { target: masks, .. } = &route.masks;
    let touched = route.columns.iter().zip(masks).filter(|(column, _)| around(&column.path));
    let open = touched.fold(ClassSet::NONE, |all, (_, classes)| all.union(*classes)).is_empty()
        && suspect::by_path(&broken.path).is_empty();
    fault(route, &codes::CONTRACT_TARGET, Some(broken.path.to_string()), told(broken, open))
}

fn fault(route: &Route, code: &'static Code, field: Option<String>, cause: String) -> Box<Fault> {
    let field = field.filter(|field| !field.is_empty());
    Box::new(Fault { code, field, cause, classes: route.payload_classes })
}

/// What is wrong, with the value only where nothing speaks against it.
fn told(broken: &Broken<'_>, open: bool) -> String {
    let Broken { keyword, wants, value, .. } = broken;
    match value {
        Value::Missing => format!("it is missing, and the contract requires it ({keyword})"),
        Value::List(_) | Value::Map(_) | Value::Dict(_) => {
            format!("it is a {}, and the contract wants {wants} ({keyword})", value.type_name())
        }
        Value::Null | Value::Bool(_) => {
            format!("it is {}, and the contract wants {wants} ({keyword})", shown::text(value))
        }
        _ if open => format!("it is {}, and the contract wants {wants} ({keyword})", shown::short(value)),
        _ => format!("the value ({}) is not what the contract wants: {wants} ({keyword})", value.type_name()),
    }
}

impl Nest {
    fn of(columns: Vec<(usize, &[Step])>) -> Vec<(String, Self)> {
        type Columns<'s> = Vec<(usize, &'s [Step])>;
        let mut below: Vec<(String, Columns<'_>)> = Vec::new();
        for (at, steps) in columns {
            // Elements of lists are no places of their own.
            let Some((Step::Key(name), rest)) = steps.split_first() else { continue };
            match below.iter_mut().find(|(known, _)| known == name) {
                Some((_, inner)) => inner.push((at, rest)),
                None => below.push((name.clone(), vec![(at, rest)])),
            }
        }
        let made = below.into_iter().map(|(name, inner)| match inner.as_slice() {
            [(at, [])] => (name, Self::Column(*at)),
            _ => (name, Self::Map(Self::of(inner))),
        });
        made.collect()
    }
}

/// The target record as the contract sees it; `None` where nothing of it is there.
fn built<'a>(
    nest: &[(String, Nest)],
    values: &[Value<'a>],
    never_null: Option<&[String]>,
    arena: &'a Arena,
) -> Option<Value<'a>> {
    let mut entries = bumpalo::collections::Vec::with_capacity_in(nest.len(), arena);
    for (name, inner) in nest {
        let value = match inner {
            Nest::Column(at) => values.get(*at).copied().unwrap_or_default(),
            Nest::Map(nest) => built(nest, values, None, arena).unwrap_or_default(),
        };
        // In a flat target nothing and null are the same.
        let nothing = matches!(value, Value::Null) && never_null.is_some_and(|names| names.contains(name));
        if !value.is_missing() && !nothing {
            entries.push((&*arena.alloc_str(name), value));
        }
    }
    (!entries.is_empty()).then(|| Value::Map(entries.into_bump_slice()))
}

impl Route {
    /// Counts the fields of a record that nobody declared, where the mapping accepts them.
    #[inline]
    pub fn count_drift(&self, slots: &[Value<'_>], drifted: &mut Drifted) {
        if let Some(guard) = &self.guard {
            guard.count(slots, drifted);
        }
    }

    /// Whether an undeclared field ends the run.
    pub fn drift_fails(&self) -> bool {
        self.guard.as_ref().is_some_and(|guard| matches!(guard.drift, Some((Drift::Fail, _))))
    }
}
