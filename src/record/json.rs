//! JSON as values: what is known of connectors, answers and events as JSON is looked at by expressions too.

use serde_json::Value as Json;

use super::path::Step;
use super::{Path, Value};
use crate::record::Arena;

/// A value with the digits of numbers as they are written.
pub fn from_json<'a>(json: &Json, arena: &'a Arena) -> Value<'a> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Number(arena.alloc_str(&number.to_string())),
        Json::String(text) => Value::String(arena.alloc_str(text)),
        Json::Array(items) => Value::List(arena.alloc_slice_fill_iter(items.iter().map(|item| from_json(item, arena)))),
        Json::Object(entries) => Value::Map(arena.alloc_slice_fill_iter(
            entries.iter().map(|(key, value)| (&*arena.alloc_str(key), from_json(value, arena))),
        )),
    }
}

/// What stands at a path of keys and indices; [`Value::Missing`] where nothing does.
pub fn at<'a>(json: &Json, path: &Path, arena: &'a Arena) -> Value<'a> {
    let found = path.0.iter().try_fold(json, |here, step| match step {
        Step::Key(name) => here.get(name.as_str()),
        Step::Index(index) => here.get(usize::try_from(*index).ok()?),
        _ => None,
    });
    found.map_or(Value::Missing, |found| from_json(found, arena))
}
