//! From a computed value to the type that is asked for: exact or refused, never guessed.

use crate::record::{Arena, Date, Decimal, Timestamp, Type, Value};

/// How much a conversion may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Only another form of the same value: a decimal without fraction is an int.
    Exact,
    /// Text may be read as the type and anything with a text be written as text: the mapping's
    /// author asked for it with `type`.
    Text,
}

/// The value in the type asked for; missing and null stay what they are. `None`: it has no
/// such form.
#[inline]
pub(super) fn convert<'a>(value: Value<'a>, wanted: &Type, reading: Reading, arena: &'a Arena) -> Option<Value<'a>> {
    match (wanted, value) {
        (Type::Dyn, _) | (_, Value::Missing | Value::Null) => Some(value),
        (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Uint, Value::Uint(_))
        | (Type::Decimal, Value::Decimal(_) | Value::Number(_) | Value::Int(_) | Value::Uint(_))
        | (Type::Double, Value::Double(_))
        | (Type::String, Value::String(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Date, Value::Date(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::Map(_) | Type::Record { .. }, Value::Map(_)) => Some(value),
        _ => slowly(value, wanted, reading, arena),
    }
}

fn slowly<'a>(value: Value<'a>, wanted: &Type, reading: Reading, arena: &'a Arena) -> Option<Value<'a>> {
    match (wanted, value) {
        (Type::Int, Value::Number(text)) => whole(text).map(Value::Int),
        (Type::Int, Value::Decimal(number)) => number.to_i64().map(Value::Int),
        (Type::Int, Value::Uint(number)) => i64::try_from(number).ok().map(Value::Int),
        (Type::Uint, Value::Int(number)) => u64::try_from(number).ok().map(Value::Uint),
        (Type::Uint, Value::Number(text)) => {
            text.parse().ok().or_else(|| whole(text).and_then(|n| n.try_into().ok())).map(Value::Uint)
        }
        (Type::Uint, Value::Decimal(number)) => number.to_i64().and_then(|n| n.try_into().ok()).map(Value::Uint),
        (Type::List(inner), Value::List(items)) => {
            if **inner == Type::Dyn {
                return Some(value);
            }
            let mut made = bumpalo::collections::Vec::with_capacity_in(items.len(), arena);
            for item in items {
                made.push(convert(*item, inner, reading, arena)?);
            }
            Some(Value::List(made.into_bump_slice()))
        }
        _ if reading == Reading::Exact => None,
        (Type::Double, Value::Int(number)) => Some(Value::Double(number as f64)),
        (Type::Double, Value::Uint(number)) => Some(Value::Double(number as f64)),
        (Type::Double, Value::Decimal(number)) => Some(Value::Double(number.to_f64())),
        (Type::Double, Value::Number(text) | Value::String(text)) => {
            // `parse` also knows "inf" and "nan", which no one who writes a number means.
            let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
            text.parse().ok().filter(|number: &f64| plain && number.is_finite()).map(Value::Double)
        }
        (Type::Bool, Value::String("true")) => Some(Value::Bool(true)),
        (Type::Bool, Value::String("false")) => Some(Value::Bool(false)),
        (Type::Int, Value::String(text)) => whole(text).map(Value::Int),
        (Type::Uint, Value::String(text)) => text.parse().ok().filter(|_| !text.starts_with('+')).map(Value::Uint),
        (Type::Decimal, Value::String(text)) => Decimal::parse(text).ok().map(Value::Decimal),
        (Type::Timestamp, Value::String(text)) => Timestamp::parse_rfc3339(text).map(Value::Timestamp),
        (Type::Date, Value::String(text)) => date(text).map(Value::Date),
        (Type::String, Value::Number(text)) => Some(Value::String(text)),
        (Type::String, Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Dict(_)) => None,
        (Type::String, scalar) => Some(Value::String(arena.alloc_str(&crate::record::shown::text(&scalar)))),
        _ => None,
    }
}

/// The text as a 64-bit integer: digits, or a number whose fraction is zero.
fn whole(text: &str) -> Option<i64> {
    match text.parse() {
        Ok(number) if !text.starts_with('+') => Some(number),
        _ => Decimal::parse(text).ok().filter(|_| !text.starts_with('+'))?.to_i64(),
    }
}

/// ISO 8601, `2024-02-29`.
fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, b)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::shown;

    #[track_caller]
    fn check(value: Value<'_>, wanted: &str, reading: Reading, expected: &str) {
        let arena = Arena::new();
        let got = convert(value.copy_into(&arena), &Type::named(wanted).unwrap(), reading, &arena);
        let got = got.map_or("-".to_string(), |v| format!("{} {}", v.type_name(), shown::text(&v)));
        assert_eq!(got, expected, "{value:?} as {wanted}");
    }

    #[test]
    fn exact_forms_only() {
        use Reading::Exact;
        check(Value::Number("5"), "int", Exact, "int 5");
        check(Value::Number("5.00"), "int", Exact, "int 5");
        check(Value::Number("5.5"), "int", Exact, "-");
        check(Value::Number("99999999999999999999"), "int", Exact, "-");
        check(Value::Decimal(Decimal::parse("7.0").unwrap()), "int", Exact, "int 7");
        check(Value::Int(-1), "uint", Exact, "-");
        check(Value::Number("18446744073709551615"), "uint", Exact, "uint 18446744073709551615");
        check(Value::Number("1.50"), "decimal", Exact, "decimal 1.50");
        check(Value::Number("1.5"), "double", Exact, "-");
        check(Value::String("5"), "int", Exact, "-");
        check(Value::Number("5"), "string", Exact, "-");
        check(Value::Null, "int", Exact, "null null");
        check(Value::List(&[Value::Number("1")]), "list<int>", Exact, "list [1]");
        check(Value::List(&[Value::String("1")]), "list<int>", Exact, "-");
    }

    #[test]
    fn text_is_read_where_asked_for() {
        use Reading::Text;
        check(Value::String("12"), "int", Text, "int 12");
        check(Value::String("+12"), "int", Text, "-");
        check(Value::String(" 12"), "int", Text, "-");
        check(Value::String("12.0"), "int", Text, "int 12");
        check(Value::String("12.50"), "decimal", Text, "decimal 12.50");
        check(Value::String("true"), "bool", Text, "bool true");
        check(Value::String("yes"), "bool", Text, "-");
        check(Value::String("1.5"), "double", Text, "double 1.5");
        check(Value::String("inf"), "double", Text, "-");
        check(Value::String("2024-02-29"), "date", Text, "date 2024-02-29");
        check(Value::String("2023-02-29"), "date", Text, "-");
        check(Value::String("2024-02-29T12:00:00+02:00"), "timestamp", Text, "timestamp 2024-02-29T12:00:00+02:00");
        check(Value::Number("1.50"), "string", Text, "string 1.50");
        check(Value::Int(5), "string", Text, "string 5");
        check(Value::Map(&[]), "string", Text, "-");
    }
}
