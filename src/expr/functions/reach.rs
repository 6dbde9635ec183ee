//! What a path leads to inside of a value: `sort_by(list, "address.city")`.

use std::borrow::Cow;

use super::{Call, Failure, Prepared};
use crate::record::path::Step;
use crate::record::{Path, Value};

/// Reads the constant path that is the second argument.
///
/// # Errors
/// If it is no path.
pub(super) fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(1) {
        Some(Some(Value::String(text))) => Ok(Prepared::Made(Box::new(parse(text)?))),
        _ => Ok(Prepared::None),
    }
}

/// The path of a call that was prepared by [`prepare`].
///
/// # Errors
/// If it is no path.
pub(super) fn path<'a>(call: &Call<'_, 'a>, text: &str) -> Result<Cow<'a, Path>, Failure> {
    match call.prepared {
        Prepared::Made(made) if let Some(path) = made.downcast_ref() => Ok(Cow::Borrowed(path)),
        _ => parse(text).map(Cow::Owned),
    }
}

/// What stands there; [`Value::Missing`] if nothing does.
pub(super) fn reach<'a>(value: &Value<'a>, path: &Path) -> Value<'a> {
    let mut here = *value;
    for step in &path.0 {
        here = match (step, here) {
            (Step::Key(key), Value::Map(_) | Value::Dict(_)) => here.get(key),
            (Step::Index(index), Value::List(items)) => {
                let place = if *index < 0 { items.len() as i64 + index } else { *index };
                usize::try_from(place).ok().and_then(|place| items.get(place).copied()).unwrap_or_default()
            }
            _ => return Value::Missing,
        };
    }
    here
}

fn parse(text: &str) -> Result<Path, Failure> {
    let path = Path::parse(text).map_err(|error| Failure::value(format!("the path: {}", error.cause)))?;
    if path.0.contains(&Step::Each) {
        return Err(Failure::value("the path leads to one value: `[*]` would lead to many"));
    }
    Ok(path)
}
