//! From what a format holds to the type a stream declares: text to numbers, dates, moments.
//!
//! Every conversion is exact or refused, and says what was wanted, never what was found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::record::decimal::DecimalError;
use crate::record::{Arena, Date, Decimal, Duration, Timestamp, Type, Value};

/// Text as the declared type. [`Type::Dyn`] and [`Type::String`] keep the text.
///
/// # Errors
/// What the text is not, to be put after the name of the field.
#[inline]
pub fn from_text<'a>(text: &'a str, kind: &Type, arena: &'a Arena) -> Result<Value<'a>, &'static str> {
    match kind {
        Type::Dyn | Type::String => Ok(Value::String(text)),
        Type::Int => whole(text).map(Value::Int).ok_or("is not a whole number of 64 bits"),
        Type::Decimal => decimal(text),
        Type::Date => date(text).map(Value::Date).ok_or("is not a date like 2024-12-31"),
        Type::Timestamp => Timestamp::parse_rfc3339(text)
            .map(Value::Timestamp)
            .ok_or("is not a timestamp like 2024-12-31T23:59:59Z (RFC 3339, with an offset)"),
        other => rare(text, other, arena),
    }
}

/// A value of a self-describing format as the declared type, element by element where it is a
/// list or a map. Null and missing stay what they are.
///
/// # Errors
/// What the value is not, to be put after the name of the field.
pub fn from_value<'a>(value: Value<'a>, kind: &Type, arena: &'a Arena) -> Result<Value<'a>, &'static str> {
    match (value, kind) {
        (Value::Missing | Value::Null, _) | (_, Type::Dyn) | (Value::String(_), Type::String) => Ok(value),
        (_, Type::Null) => Err("is not null"),
        (Value::Bool(_), Type::Bool) => Ok(value),
        (Value::Number(text), Type::Decimal) => decimal(text),
        (Value::Number(text), Type::Int) => match whole(text) {
            Some(number) => Ok(Value::Int(number)),
            // `1.0` and `1e3` are whole numbers in another spelling.
            None => match Decimal::parse(text).ok().and_then(Decimal::to_i64) {
                Some(number) => Ok(Value::Int(number)),
                None => Err("is not a whole number of 64 bits"),
            },
        },
        (Value::Number(text), Type::Uint | Type::Double) => rare(text, kind, arena),
        (Value::Number(_), Type::String) => Err("is a number, not a text"),
        (Value::Bool(_), Type::String) => Err("is a truth value, not a text"),
        (
            Value::String(text),
            Type::Int
            | Type::Uint
            | Type::Decimal
            | Type::Double
            | Type::Bytes
            | Type::Timestamp
            | Type::Date
            | Type::Duration,
        ) => from_text(text, kind, arena),
        (Value::List(items), Type::List(inner)) => match **inner {
            Type::Dyn => Ok(value),
            Type::String if items.iter().all(|item| matches!(item, Value::String(_))) => Ok(value),
            _ => arena
                .alloc_slice_try_fill_iter(items.iter().map(|v| from_value(*v, inner, arena)))
                .map(|v| Value::List(v)),
        },
        (Value::Map(entries), Type::Map(inner)) => match **inner {
            Type::Dyn => Ok(value),
            _ => arena
                .alloc_slice_try_fill_iter(entries.iter().map(|(k, v)| Ok((*k, from_value(*v, inner, arena)?))))
                .map(|v| Value::Map(v)),
        },
        (Value::Map(entries), Type::Record { fields, .. }) => arena
            .alloc_slice_try_fill_iter(entries.iter().map(|(key, v)| {
                let kind = fields.iter().find(|field| field.name == *key).map_or(&Type::Dyn, |field| &field.kind);
                Ok((*key, from_value(*v, kind, arena)?))
            }))
            .map(|v| Value::Map(v)),
        (_, wanted) => Err(not_a(wanted)),
    }
}

/// Whether the text is a number in the grammar of JSON (RFC 8259, section 6).
pub fn is_json_number(text: &[u8]) -> bool {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    match text.get(at) {
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at += digits(at),
        _ => return false,
    }
    if text.get(at) == Some(&b'.') {
        let count = digits(at + 1);
        if count == 0 {
            return false;
        }
        at += 1 + count;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let count = if at <= text.len() { digits(at) } else { 0 };
        if count == 0 {
            return false;
        }
        at += count;
    }
    at == text.len()
}

/// An optional sign and up to 19 digits.
#[inline]
fn whole(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[inline]
fn decimal(text: &str) -> Result<Value<'_>, &'static str> {
    match Decimal::parse(text) {
        Ok(number) => Ok(Value::Decimal(number)),
        // More than 28 digits pass through as text, as long as nobody computes with them.
        Err(DecimalError::Overflow) if is_json_number(text.as_bytes()) => Ok(Value::Number(text)),
        Err(_) => Err("is not a decimal number"),
    }
}

fn date(text: &str) -> Option<Date> {
    let b = text.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        b[range].iter().try_fold(0_u32, |n, c| c.is_ascii_digit().then(|| n * 10 + u32::from(c - b'0')))
    };
    Date::new(i32::try_from(number(0..4)?).ok()?, number(5..7)?, number(8..10)?)
}

/// Seconds in the form of CEL: `3600s`, `-0.5s`.
fn duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 9 {
        return None;
    }
    let (seconds, nanos): (i64, i32) = (whole.parse().ok()?, format!("{part:0<9}").parse().ok()?);
    Some(if negative { Duration { seconds: -seconds, nanos: -nanos } } else { Duration { seconds, nanos } })
}

#[cold]
fn rare<'a>(text: &'a str, kind: &Type, arena: &'a Arena) -> Result<Value<'a>, &'static str> {
    let found = match kind {
        Type::Bool => match text {
            "true" | "TRUE" | "True" | "1" => Some(Value::Bool(true)),
            "false" | "FALSE" | "False" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Type::Uint => text.parse().ok().map(Value::Uint),
        Type::Double => {
            text.parse::<f64>().ok().filter(|n| n.is_finite() && is_json_number(text.as_bytes())).map(Value::Double)
        }
        Type::Bytes => STANDARD.decode(text).ok().map(|bytes| Value::Bytes(arena.alloc_slice_copy(&bytes))),
        Type::Duration => duration(text).map(Value::Duration),
        _ => None,
    };
    found.ok_or_else(|| not_a(kind))
}

pub(in crate::connect) fn not_a(kind: &Type) -> &'static str {
    match kind {
        Type::Bool => "is neither true nor false",
        Type::Int => "is not a whole number of 64 bits",
        Type::Uint => "is not a whole number from 0 of 64 bits",
        Type::Decimal => "is not a decimal number",
        Type::Double => "is not a finite number",
        Type::String => "is not a text",
        Type::Bytes => "is not base64 (RFC 4648)",
        Type::Timestamp => "is not a timestamp like 2024-12-31T23:59:59Z (RFC 3339, with an offset)",
        Type::Date => "is not a date like 2024-12-31",
        Type::Duration => "is not a span of seconds like 3600s",
        Type::List(_) => "is not a list",
        Type::Map(_) | Type::Record { .. } => "is not a map",
        Type::Dyn | Type::Null => "is not null",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, kind: &str, expected: &str) {
        let arena = Arena::new();
        let kind = Type::named(kind).unwrap();
        let found = match from_text(text, &kind, &arena) {
            Ok(value) => format!("{value:?}"),
            Err(cause) => cause.to_string(),
        };
        assert!(found.starts_with(expected), "{text} as {kind}: {found}");
    }

    #[test]
    fn text_becomes_what_is_declared() {
        check("12", "int", "Int(12)");
        check("+12", "int", "Int(12)");
        check("1.5", "int", "is not a whole");
        check("9223372036854775808", "int", "is not a whole");
        check("9223372036854775808", "uint", "Uint(9223372036854775808)");
        check("0012.50", "decimal", "Decimal(");
        check("1234567890123456789012345678901234567890", "decimal", "Number(\"12345");
        check("12,50", "decimal", "is not a decimal");
        check("", "decimal", "is not a decimal");
        check("2024-02-29", "date", "Date(");
        check("2023-02-29", "date", "is not a date");
        check("2024-2-29", "date", "is not a date");
        check("2024-02-29T12:00:00+02:00", "timestamp", "Timestamp(");
        check("2024-02-29T12:00:00", "timestamp", "is not a timestamp");
        check("TRUE", "bool", "Bool(true)");
        check("yes", "bool", "is neither");
        check("1e3", "double", "Double(1000.0)");
        check("inf", "double", "is not a finite");
        check("aGk=", "bytes", "Bytes([104, 105])");
        check("a", "bytes", "is not base64");
        check("-0.5s", "duration", "Duration(Duration { seconds: 0, nanos: -500000000 })");
        check("a", "list", "is not a list");
    }

    #[test]
    fn numbers_follow_the_grammar_of_json() {
        for good in ["0", "-0", "10", "1.50", "1e5", "1E-05", "-1.2e+3"] {
            assert!(is_json_number(good.as_bytes()), "{good}");
        }
        for bad in ["", "-", "+1", "01", ".5", "5.", "1e", "1e+", "0x1", "1 ", "NaN"] {
            assert!(!is_json_number(bad.as_bytes()), "{bad}");
        }
    }
}
