//! Values as bytes: what is digested, and what is encrypted so that `42` and `"42"` come back as they were.

use std::borrow::Cow;

use crate::expr::format_value;
use crate::expr::functions::{Call, Failure};
use crate::expr::keyed::refused;
use crate::record::{Date, Timestamp, Value};

/// The text that a value is digested as: the same for `42` and `"42"`, for one source writes numbers as
/// text and another does not, and both mean one customer.
///
/// # Errors
/// It says nothing, or is a list or map.
pub(super) fn text<'v>(value: &Value<'v>) -> Result<Cow<'v, [u8]>, Failure> {
    match value {
        Value::String(text) | Value::Number(text) => Ok(Cow::Borrowed(text.as_bytes())),
        Value::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
        Value::Missing | Value::Null | Value::List(_) | Value::Map(_) | Value::Dict(_) => {
            Err(refused("only plain values can be protected: text, bytes, numbers, dates, times, truth values"))
        }
        plain => {
            let mut text = Vec::new();
            format_value(plain, &mut text);
            Ok(Cow::Owned(text))
        }
    }
}

/// The byte that tells what a value was.
///
/// # Errors
/// It is no plain value.
pub(super) fn tag(value: &Value<'_>) -> Result<u8, Failure> {
    Ok(match value {
        Value::String(_) => b's',
        Value::Bytes(_) => b'b',
        Value::Number(_) | Value::Decimal(_) => b'n',
        Value::Int(_) => b'i',
        Value::Uint(_) => b'u',
        Value::Double(_) => b'f',
        Value::Bool(_) => b't',
        Value::Date(_) => b'd',
        Value::Timestamp(_) => b'm',
        _ => return text(value).map(|_| b's'),
    })
}

/// The value that such bytes were.
///
/// # Errors
/// They are not of the form that their first byte says.
pub(super) fn value<'a>(call: &Call<'_, 'a>, bytes: &[u8]) -> Result<Value<'a>, Failure> {
    let damaged = || refused("what was sealed is in no form that this consign knows");
    let (tag, bytes) = bytes.split_first().ok_or_else(damaged)?;
    if *tag == b'b' {
        call.spend(bytes.len())?;
        return Ok(Value::Bytes(call.arena.alloc_slice_copy(bytes)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
    let kept = || {
        call.spend(text.len())?;
        Ok::<_, Failure>(&*call.arena.alloc_str(text))
    };
    Ok(match tag {
        b's' => Value::String(kept()?),
        b'n' => Value::Number(kept()?),
        b'i' => Value::Int(text.parse().map_err(|_| damaged())?),
        b'u' => Value::Uint(text.parse().map_err(|_| damaged())?),
        b'f' => Value::Double(text.parse().map_err(|_| damaged())?),
        b't' => Value::Bool(text.parse().map_err(|_| damaged())?),
        b'd' => Value::Date(Date::parse(text).ok_or_else(damaged)?),
        b'm' => Value::Timestamp(Timestamp::parse_rfc3339(text).ok_or_else(damaged)?),
        _ => return Err(damaged()),
    })
}
