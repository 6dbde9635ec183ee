//! Values as keys: two values that are equal in the language have the same bytes here, so that lists
//! are compared with themselves in linear time.

use super::super::operators;
use super::{Call, Failure};
use crate::record::{Decimal, Value};

/// Appends the identity of a value.
///
/// # Errors
/// If the evaluation takes more memory than it may.
pub(super) fn write(value: &Value<'_>, call: &Call<'_, '_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let begun = out.len();
    put(value, out);
    call.spend(out.len() - begun)
}

/// The text of a value that becomes the key of a map; `None` if it says nothing or is no scalar.
pub(super) fn key<'a>(value: &Value<'a>, call: &Call<'_, 'a>) -> Result<Option<&'a str>, Failure> {
    match value {
        Value::String(text) | Value::Number(text) => Ok(Some(text)),
        Value::Missing | Value::Null | Value::List(_) | Value::Map(_) | Value::Dict(_) | Value::Bytes(_) => Ok(None),
        scalar => {
            let mut text = Vec::new();
            crate::expr::format_value(scalar, &mut text);
            call.spend(text.len())?;
            Ok(std::str::from_utf8(call.arena.alloc_slice_copy(&text)).ok())
        }
    }
}

fn put(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Missing => out.push(b'?'),
        Value::Null => out.push(b'0'),
        Value::String(text) => piece(b's', text.as_bytes(), out),
        Value::Bytes(bytes) => piece(b'b', bytes, out),
        Value::Int(_) | Value::Uint(_) | Value::Decimal(_) | Value::Number(_) | Value::Double(_) => number(value, out),
        Value::List(items) => {
            out.push(b'[');
            items.iter().for_each(|item| put(item, out));
            out.push(b']');
        }
        Value::Map(_) | Value::Dict(_) => {
            // Entries in any order are the same map.
            let entries = operators::entries(value).into_iter().map(|(key, value)| {
                let mut bytes = Vec::new();
                put(&key, &mut bytes);
                put(&value, &mut bytes);
                bytes
            });
            let mut entries: Vec<Vec<u8>> = entries.collect();
            entries.sort_unstable();
            out.push(b'{');
            entries.iter().for_each(|entry| out.extend_from_slice(entry));
            out.push(b'}');
        }
        Value::Bool(_) => scalar(b't', value, out),
        // Moments are the same whatever their offset.
        Value::Timestamp(moment) => {
            out.push(b'm');
            out.extend_from_slice(&moment.seconds.to_be_bytes());
            out.extend_from_slice(&moment.nanos.to_be_bytes());
        }
        Value::Date(_) => scalar(b'd', value, out),
        Value::Duration(span) => {
            out.push(b'p');
            out.extend_from_slice(&span.total().to_be_bytes());
        }
    }
}

fn piece(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn scalar(tag: u8, value: &Value<'_>, out: &mut Vec<u8>) {
    let mut text = Vec::new();
    crate::expr::format_value(value, &mut text);
    piece(tag, &text, out);
}

fn number(value: &Value<'_>, out: &mut Vec<u8>) {
    let exact = match value {
        // What a double shows is what it is equal to.
        Value::Double(double) if double.is_finite() => Decimal::parse(&format!("{double}")).ok().map(Value::Decimal),
        _ => None,
    };
    match operators::long(&exact.unwrap_or(*value)) {
        Some((negative, digits, exponent)) => {
            out.push(if negative { b'-' } else { b'+' });
            piece(b'n', digits.as_bytes(), out);
            out.extend_from_slice(&exponent.to_be_bytes());
        }
        None => scalar(b'f', value, out),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::super::Prepared;
    use super::*;
    use crate::expr::Seed;
    use crate::record::{Arena, Timestamp};

    fn identity(value: &Value<'_>) -> Vec<u8> {
        let (arena, spent) = (Arena::new(), Cell::new(0));
        let now = Timestamp { seconds: 0, nanos: 0, offset: 0 };
        let (moment, drawn) = (now.into(), Cell::new(0));
        let seed = Seed { moment: &moment, salt: 0, drawn: &drawn };
        let call = Call { arena: &arena, now, seed, prepared: &Prepared::None, cel: false, spent: &spent };
        let mut out = Vec::new();
        write(value, &call, &mut out).unwrap();
        out
    }

    #[test]
    fn equal_values_have_one_identity() {
        let same = |a: Value<'_>, b: Value<'_>| assert_eq!(identity(&a), identity(&b), "{a:?} {b:?}");
        same(Value::Int(1), Value::Number("1.00"));
        same(Value::Double(0.5), Value::Number("5e-1"));
        same(Value::Uint(7), Value::Double(7.0));
        same(Value::Number("-0"), Value::Int(0));
        same(
            Value::Map(&[("a", Value::Int(1)), ("b", Value::Null)]),
            Value::Dict(&[(Value::String("b"), Value::Null), (Value::String("a"), Value::Number("1"))]),
        );
        assert_ne!(identity(&Value::String("1")), identity(&Value::Int(1)));
        assert_ne!(
            identity(&Value::List(&[Value::String("ab"), Value::String("")])),
            identity(&Value::List(&[Value::String("a"), Value::String("b")]))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(512), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn identity_is_equality(a in "-?[0-3]{1,2}(\\.[0-2]{1,2})?(e[01])?", b in "-?[0-3]{1,2}(\\.[0-2]{1,2})?") {
            let (a, b) = (Value::Number(&a), Value::Number(&b));
            prop_assert_eq!(identity(&a) == identity(&b), crate::expr::equals(&a, &b));
        }
    }
}
