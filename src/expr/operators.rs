//! What operators do with two values.

use std::cmp::Ordering;

use crate::record::{Decimal, Value};

use super::ast::Operator;
use super::functions::{Call, Failure};

/// A number ready to be computed with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Int(i64),
    Uint(u64),
    Decimal(Decimal),
    Double(f64),
}

/// The number of a value; `None` if it is none.
#[inline]
pub(super) fn number(value: &Value<'_>) -> Option<Result<Number, Failure>> {
    Some(Ok(match value {
        Value::Number(text) => return Some(Decimal::parse(text).map(Number::Decimal).map_err(Failure::from)),
        Value::Decimal(v) => Number::Decimal(*v),
        Value::Int(v) => Number::Int(*v),
        Value::Uint(v) => Number::Uint(*v),
        Value::Double(v) => Number::Double(*v),
        _ => return None,
    }))
}

impl Number {
    #[inline]
    fn decimal(self) -> Option<Decimal> {
        match self {
            Self::Int(v) => Some(Decimal::from_i64(v)),
            Self::Uint(v) => Some(Decimal::from_u64(v)),
            Self::Decimal(v) => Some(v),
            Self::Double(_) => None,
        }
    }
}

/// The result of an operator: `None` says that the types do not go together.
type Result3<'a> = Option<Result<Value<'a>, Failure>>;

/// `+ - * / %`.
#[inline]
pub(super) fn arithmetic<'a>(operator: Operator, l: Value<'a>, r: Value<'a>, call: &Call<'_, 'a>) -> Result3<'a> {
    if let (Some(a), Some(b)) = (number(&l), number(&r)) {
        return match (a, b) {
            (Ok(a), Ok(b)) => numbers(operator, a, b, call.cel),
            (Err(failure), _) | (_, Err(failure)) => Some(Err(failure)),
        };
    }
    others(operator, l, r, call)
}

#[inline]
fn numbers<'a>(operator: Operator, a: Number, b: Number, cel: bool) -> Result3<'a> {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => return Some(ints(operator, a, b, cel)),
        (Number::Double(a), Number::Double(b)) => {
            return Some(Ok(Value::Double(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide => a / b,
                _ => return None,
            })));
        }
        (Number::Uint(a), Number::Uint(b)) => return Some(uints(operator, a, b)),
        _ if cel => return None,
        _ => {}
    }
    let (a, b) = (a.decimal()?, b.decimal()?);
    Some(decimals(operator, a, b))
}

#[inline]
pub(super) fn decimals<'a>(operator: Operator, a: Decimal, b: Decimal) -> Result<Value<'a>, Failure> {
    let result = match operator {
        Operator::Add => a.add(b),
        Operator::Subtract => a.sub(b),
        Operator::Multiply => a.mul(b),
        Operator::Divide => a.div_exact(b),
        _ => a.rem(b),
    };
    result.map(Value::Decimal).map_err(Failure::from)
}

#[inline]
fn ints<'a>(operator: Operator, a: i64, b: i64, cel: bool) -> Result<Value<'a>, Failure> {
    if b == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
        return Err(Failure::number("division by zero"));
    }
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide if cel || a.checked_rem(b) == Some(0) => a.checked_div(b),
        // An int is a decimal too, where the quotient has a fraction.
        Operator::Divide if a.checked_rem(b).is_some() => {
            return decimals(operator, Decimal::from_i64(a), Decimal::from_i64(b));
        }
        Operator::Divide => None,
        _ => a.checked_rem(b),
    };
    match result {
        Some(result) => Ok(Value::Int(result)),
        None if cel => Err(Failure::number("the result is too large for an int")),
        None => Err(Failure::number("the result is too large for an int: `decimal(x)` of one side goes on exactly")),
    }
}

fn uints<'a>(operator: Operator, a: u64, b: u64) -> Result<Value<'a>, Failure> {
    if b == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
        return Err(Failure::number("division by zero"));
    }
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.map(Value::Uint).ok_or_else(|| Failure::number("the result is too large or too small for a uint"))
}

fn others<'a>(operator: Operator, l: Value<'a>, r: Value<'a>, call: &Call<'_, 'a>) -> Result3<'a> {
    use Operator::{Add, Subtract};
    let out_of_range = || Failure::number("the moment or span lies outside of the years 1 to 9999");
    let moment = |t: Option<_>| Some(t.map(Value::Timestamp).ok_or_else(out_of_range));
    let span = |d: Option<_>| Some(d.map(Value::Duration).ok_or_else(out_of_range));
    match (operator, l, r) {
        (Add, Value::String(a), Value::String(b)) => Some(concat(&[a, b], call)),
        (Add, Value::Bytes(a), Value::Bytes(b)) => Some(join(a, b, call).map(Value::Bytes)),
        (Add, Value::List(a), Value::List(b)) => Some(join(a, b, call).map(Value::List)),
        (Add, Value::Timestamp(a), Value::Duration(b)) | (Add, Value::Duration(b), Value::Timestamp(a)) => {
            moment(a.plus(b))
        }
        (Subtract, Value::Timestamp(a), Value::Duration(b)) => moment(a.plus(b.negated())),
        (Subtract, Value::Timestamp(a), Value::Timestamp(b)) => span(a.since(b)),
        (Subtract, Value::Date(a), Value::Date(b)) => span(a.midnight().since(b.midnight())),
        (Add, Value::Duration(a), Value::Duration(b)) => span(a.plus(b)),
        (Subtract, Value::Duration(a), Value::Duration(b)) => span(a.plus(b.negated())),
        (Add | Subtract, Value::Date(a), Value::Duration(b)) => {
            let b = if operator == Add { b } else { b.negated() };
            Some(match a.midnight().plus(b) {
                Some(moment) if moment.nanos == 0 && moment.seconds % 86_400 == 0 => Ok(Value::Date(moment.date_at(0))),
                Some(_) => Err(Failure::number("a date moves by whole days only")),
                None => Err(out_of_range()),
            })
        }
        _ => None,
    }
}

/// All pieces as one text, in one allocation.
#[inline]
pub(super) fn concat<'a>(pieces: &[&str], call: &Call<'_, 'a>) -> Result<Value<'a>, Failure> {
    let mut text = call.text(pieces.iter().map(|p| p.len()).sum())?;
    for piece in pieces {
        text.push_str(piece);
    }
    Ok(Value::String(text.into_bump_str()))
}

fn join<'a, T: Copy>(a: &[T], b: &[T], call: &Call<'_, 'a>) -> Result<&'a [T], Failure> {
    let mut all = call.list(a.len() + b.len())?;
    all.extend_from_slice(a);
    all.extend_from_slice(b);
    Ok(all.into_bump_slice())
}

/// `-x`.
pub(super) fn negate<'a>(value: &Value<'a>, cel: bool) -> Result3<'a> {
    Some(match number(value) {
        Some(Ok(Number::Int(v))) => match v.checked_neg() {
            Some(v) => Ok(Value::Int(v)),
            None => Err(Failure::number("the result is too large for an int")),
        },
        Some(Ok(Number::Decimal(v))) => Ok(Value::Decimal(v.neg())),
        Some(Ok(Number::Double(v))) => Ok(Value::Double(-v)),
        Some(Ok(Number::Uint(_))) => return None,
        Some(Err(failure)) => Err(failure),
        None => match value {
            Value::Duration(v) if !cel => Ok(Value::Duration(v.negated())),
            _ => return None,
        },
    })
}

/// Which of two values comes first; `None` if the types have no common order. A NaN has none
/// with anything: the inner `None`.
#[inline]
pub(super) fn order(l: &Value<'_>, r: &Value<'_>) -> Option<Result<Option<Ordering>, Failure>> {
    Some(Ok(match (l, r) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.total().cmp(&b.total())),
        _ => match (number(l)?, number(r)?) {
            (Ok(a), Ok(b)) => order_numbers(a, b),
            (Err(failure), _) | (_, Err(failure)) => return Some(Err(failure)),
        },
    }))
}

#[inline]
fn order_numbers(a: Number, b: Number) -> Option<Ordering> {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
        (Number::Double(a), Number::Double(b)) => a.partial_cmp(&b),
        (Number::Double(a), b) => order_double(b.decimal()?, a).map(Ordering::reverse),
        (a, Number::Double(b)) => order_double(a.decimal()?, b),
        (a, b) => Some(a.decimal()?.cmp(&b.decimal()?)),
    }
}

/// Orders exactly: the double is not asked to hold the decimal, only its whole part.
fn order_double(a: Decimal, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b.abs() >= 1e28 {
        return Some(if b > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let whole = b.trunc();
    let Ok(exact) = Decimal::new(whole as i128, 0) else { return a.to_f64().partial_cmp(&b) };
    match a.cmp(&exact) {
        // Either the whole parts differ, or the fractions decide; those are small enough for doubles.
        Ordering::Equal => 0.0.partial_cmp(&(b - whole)),
        other if b == whole => Some(other),
        _ => a.sub(exact).ok().and_then(|rest| rest.to_f64().partial_cmp(&(b - whole))),
    }
}

/// Whether two values are equal: numbers by what they amount to, lists by their items, maps by
/// their entries in any order, values of different types never.
pub fn equals(l: &Value<'_>, r: &Value<'_>) -> bool {
    match (l, r) {
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Missing, Value::Missing) | (Value::Null, Value::Null) => true,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| equals(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().enumerate().all(|(index, (key, value))| {
                    // The same order is the usual case; only then look around.
                    match b.get(index) {
                        Some((other, found)) if other == key => equals(value, found),
                        _ => b.iter().find(|(other, _)| other == key).is_some_and(|(_, found)| equals(value, found)),
                    }
                })
        }
        (Value::Map(_) | Value::Dict(_), Value::Map(_) | Value::Dict(_)) => {
            let (a, b) = (entries(l), entries(r));
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    b.iter().find(|(other, _)| equals(key, other)).is_some_and(|(_, found)| equals(value, found))
                })
        }
        (Value::Number(a), Value::Number(b)) if a == b => true,
        _ => match order(l, r) {
            Some(Ok(ordering)) => ordering == Some(Ordering::Equal),
            // Numbers of the data that are too long to compute with can still be compared.
            Some(Err(_)) => match (long(l), long(r)) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
            None => false,
        },
    }
}

/// The entries of any map.
pub(super) fn entries<'a>(value: &Value<'a>) -> Vec<(Value<'a>, Value<'a>)> {
    match value {
        Value::Map(entries) => entries.iter().map(|(key, value)| (Value::String(key), *value)).collect(),
        Value::Dict(entries) => entries.to_vec(),
        _ => Vec::new(),
    }
}

/// Sign, digits without zeros at either end, and exponent: the same for equal numbers; none for a double.
pub(super) fn long(value: &Value<'_>) -> Option<(bool, String, i64)> {
    let mut held = Vec::new();
    let text = match value {
        Value::Number(text) => *text,
        Value::Double(_) => return None,
        other => {
            super::format_value(other, &mut held);
            std::str::from_utf8(&held).ok()?
        }
    };
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (body, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let digits = format!("{whole}{fraction}");
    let mut exponent = exponent.checked_sub(fraction.len() as i64)?;
    let kept = digits.trim_end_matches('0');
    exponent += (digits.len() - kept.len()) as i64;
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() {
        return Some((false, String::new(), 0));
    }
    Some((negative, kept.to_string(), exponent))
}

/// The value of a key in any map.
pub(super) fn look_up<'a>(map: &Value<'a>, key: &Value<'_>) -> Option<Value<'a>> {
    match (map, key) {
        (Value::Map(entries), Value::String(key)) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| *v),
        (Value::Dict(entries), key) => entries.iter().find(|(k, _)| equals(k, key)).map(|(_, v)| *v),
        _ => None,
    }
}

/// Whether a value is in a list or a key in a map; `None` if it is neither.
pub(super) fn contains(value: &Value<'_>, around: &Value<'_>) -> Option<bool> {
    match around {
        Value::List(items) => Some(items.iter().any(|item| equals(item, value))),
        Value::Map(_) | Value::Dict(_) => Some(look_up(around, value).is_some()),
        _ => None,
    }
}
