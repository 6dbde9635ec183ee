//! Lists and maps: what is in them, and what they come to.

mod average;
mod chunk;
mod compact;
mod concat;
mod count_of;
mod difference;
mod distinct;
mod distinct_by;
mod drop;
mod entries;
mod first;
mod flatten;
mod frequencies;
mod from_entries;
mod get;
mod group_by;
mod index_by;
mod intersection;
mod keys;
mod last;
mod max;
mod merge;
mod min;
mod omit;
mod pick;
mod range;
mod rename_keys;
mod size;
mod slice;
mod sort;
mod sort_by;
mod sum;
mod take;
mod union;
mod values;
mod zip;

use std::collections::HashSet;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Returns, Spec, extreme, extreme_kind,
    identity, misuse, operators, rounding,
};
use crate::record::{Type, Value};

/// Lists and maps.
pub(super) static GROUP: Group = Group {
    name: "Lists and maps",
    about: "What is in them, and what they come to.",
    functions: &[
        &average::AVERAGE,
        &chunk::CHUNK,
        &compact::COMPACT,
        &concat::CONCAT,
        &count_of::COUNT_OF,
        &difference::DIFFERENCE,
        &distinct::DISTINCT,
        &distinct_by::DISTINCT_BY,
        &drop::DROP,
        &entries::ENTRIES,
        &first::FIRST,
        &flatten::FLATTEN,
        &frequencies::FREQUENCIES,
        &from_entries::FROM_ENTRIES,
        &get::GET,
        &group_by::GROUP_BY,
        &index_by::INDEX_BY,
        &intersection::INTERSECTION,
        &keys::KEYS,
        &last::LAST,
        &max::MAX,
        &merge::MERGE,
        &min::MIN,
        &omit::OMIT,
        &pick::PICK,
        &range::RANGE,
        &rename_keys::RENAME_KEYS,
        &size::SIZE,
        &slice::SLICE,
        &sort::SORT,
        &sort_by::SORT_BY,
        &sum::SUM,
        &take::TAKE,
        &union::UNION,
        &values::VALUES,
        &zip::ZIP,
    ],
};

fn item_type(types: &[Type]) -> Type {
    let item = match types.first() {
        Some(Type::List(item)) => (**item).clone(),
        _ => Type::Dyn,
    };
    match types.get(1) {
        Some(otherwise) => super::super::types::common(&item, otherwise),
        None => item,
    }
}

fn list_of(types: &[Type]) -> Type {
    Type::List(Box::new(types.first().cloned().unwrap_or_default()))
}

fn flat_type(types: &[Type]) -> Type {
    match types {
        [Type::List(inner)] if matches!(**inner, Type::List(_)) => (**inner).clone(),
        _ => Type::List(Box::default()),
    }
}

fn groups_type(types: &[Type]) -> Type {
    Type::Map(Box::new(types.first().cloned().unwrap_or_default()))
}

fn index_type(types: &[Type]) -> Type {
    Type::Map(Box::new(item_type(types.get(..1).unwrap_or_default())))
}

fn keys_type(types: &[Type]) -> Type {
    Type::List(Box::new(if matches!(types, [Type::Record { .. }]) { Type::String } else { Type::Dyn }))
}

fn values_type(types: &[Type]) -> Type {
    match types {
        [Type::Map(value)] => Type::List(value.clone()),
        _ => Type::List(Box::default()),
    }
}

fn entries_type(_: &[Type]) -> Type {
    Type::List(Box::new(Type::Map(Box::default())))
}

fn merged_type(types: &[Type]) -> Type {
    let values = types.iter().map(|kind| if let Type::Map(value) = kind { (**value).clone() } else { Type::Dyn });
    match values.reduce(|a, b| super::super::types::common(&a, &b)) {
        Some(value) => Type::Map(Box::new(value)),
        None => Type::Dyn,
    }
}

/// The items whose keys differ, the first of each.
fn distinct_items<'a>(items: &[Value<'a>], key: impl Fn(&Value<'a>) -> Value<'a>, call: &Call<'_, 'a>) -> Outcome<'a> {
    let mut known = HashSet::with_capacity(items.len());
    let mut list = call.list(items.len())?;
    for item in items {
        let mut bytes = Vec::new();
        identity::write(&key(item), call, &mut bytes)?;
        if known.insert(bytes) {
            list.push(*item);
        }
    }
    Ok(Value::List(list.into_bump_slice()))
}

/// The text under which an item stands in a map.
fn key_at<'a>(key: &Value<'a>, item: &Value<'a>, index: usize, call: &Call<'_, 'a>) -> Result<&'a str, Failure> {
    if let Some(text) = identity::key(key, call)? {
        return Ok(text);
    }
    let what = if std::ptr::eq(key, item) { "element" } else { "the key of element" };
    Err(Failure::types(format!("{what} {index} is {} and cannot be a key", key.type_name())))
}

/// Texts given one by one or as lists.
fn texts<'a>(arguments: &[Value<'a>]) -> Result<HashSet<&'a str>, Failure> {
    let mut texts = HashSet::new();
    for argument in arguments {
        let items = if let Value::List(items) = argument { items } else { std::slice::from_ref(argument) };
        for item in items {
            let Value::String(text) = item else { return Err(Failure::types("the keys are text")) };
            texts.insert(*text);
        }
    }
    Ok(texts)
}
