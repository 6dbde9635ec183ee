//! Lists in order. The order is a total one whatever stands in the list, or there is none: what has
//! no order with the rest is an error, not a list in some order.

use std::cmp::{Ordering, Reverse};

use super::{Call, Failure};
use crate::record::{Date, Decimal, Timestamp, Value};

/// What is compared. Only values of one variant have an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Bool(bool),
    Number(Decimal),
    Double(Total),
    Text(&'a str),
    Bytes(&'a [u8]),
    Moment(Timestamp),
    Date(Date),
    Span(i128),
    /// Nothing to compare: last, in either direction.
    Absent,
}

/// A double that is a number: these have a total order.
#[derive(Clone, Copy)]
struct Total(f64);

impl PartialEq for Total {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Total {}
impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Total {
    fn cmp(&self, other: &Self) -> Ordering {
        // 0.0 and -0.0 are equal, as everywhere else in the language.
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}

/// Whether a direction is the descending one.
///
/// # Errors
/// If it is none.
pub(super) fn descends(direction: Option<&Value<'_>>) -> Result<bool, Failure> {
    match direction {
        None | Some(Value::String("asc")) => Ok(false),
        Some(Value::String("desc")) => Ok(true),
        _ => Err(Failure::value("the direction is `asc` or `desc`")),
    }
}

/// The items in the order of their keys; those that are alike stay in the order they came in. An
/// absent key puts an item last if that is allowed.
///
/// # Errors
/// If two keys have no order.
pub(super) fn sorted<'a>(
    items: &[Value<'a>],
    key: impl Fn(&Value<'a>) -> Value<'a>,
    absent: bool,
    descending: bool,
    call: &Call<'_, 'a>,
) -> Result<Value<'a>, Failure> {
    call.spend(items.len().saturating_mul(size_of::<(Key<'_>, Value<'_>)>()))?;
    let mut pairs = Vec::with_capacity(items.len());
    let found: Vec<Value<'a>> = items.iter().map(key).collect();
    let doubles = found.iter().all(|value| matches!(value, Value::Double(_)) || value.is_absent());
    let mut first: Option<Value<'a>> = None;
    for (index, (item, value)) in items.iter().zip(&found).enumerate() {
        let key = key_of(value, doubles, index)?;
        match (key, first) {
            (Key::Absent, _) if absent => {}
            (Key::Absent, _) => {
                return Err(Failure::types(format!("element {index} is {} and has no order", value.type_name())));
            }
            (_, None) => first = Some(*value),
            (key, Some(other)) => {
                let kind = std::mem::discriminant(&key);
                if kind != std::mem::discriminant(&key_of(&other, doubles, index)?) {
                    return Err(Failure::types(format!(
                        "element {index}: {} and {} cannot be compared",
                        value.type_name(),
                        other.type_name()
                    )));
                }
            }
        }
        pairs.push((key, *item));
    }
    if descending {
        pairs.sort_by_key(|(key, _)| (*key == Key::Absent, Reverse(*key)));
    } else {
        pairs.sort_by_key(|(key, _)| *key);
    }
    let mut list = call.list(items.len())?;
    list.extend(pairs.into_iter().map(|(_, item)| item));
    Ok(Value::List(list.into_bump_slice()))
}

fn key_of<'a>(value: &Value<'a>, doubles: bool, index: usize) -> Result<Key<'a>, Failure> {
    Ok(match value {
        Value::Missing | Value::Null => Key::Absent,
        Value::Bool(value) => Key::Bool(*value),
        Value::Int(value) => Key::Number(Decimal::from_i64(*value)),
        Value::Uint(value) => Key::Number(Decimal::from_u64(*value)),
        Value::Decimal(value) => Key::Number(*value),
        Value::Number(text) => Key::Number(Decimal::parse(text)?),
        Value::Double(value) if value.is_nan() => {
            return Err(Failure::types(format!("element {index} is no number (NaN) and has no order")));
        }
        Value::Double(value) if doubles => Key::Double(Total(*value)),
        Value::Double(value) => Key::Number(Decimal::parse(&format!("{value}"))?),
        Value::String(text) => Key::Text(text),
        Value::Bytes(bytes) => Key::Bytes(bytes),
        Value::Timestamp(moment) => Key::Moment(*moment),
        Value::Date(date) => Key::Date(*date),
        Value::Duration(span) => Key::Span(span.total()),
        Value::List(_) | Value::Map(_) | Value::Dict(_) => {
            return Err(Failure::types(format!("element {index} is {} and has no order", value.type_name())));
        }
    })
}
