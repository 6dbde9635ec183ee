//! Static types in expressions: what two have in common, and the canonical text of values.

use crate::record::{Type, Value};

/// The type that values of both have.
pub(super) fn common(a: &Type, b: &Type) -> Type {
    match (a, b) {
        _ if a == b => a.clone(),
        (Type::Int | Type::Uint | Type::Decimal, Type::Int | Type::Uint | Type::Decimal) => Type::Decimal,
        (Type::Null, other) | (other, Type::Null) => other.clone(),
        (Type::List(a), Type::List(b)) => Type::List(Box::new(common(a, b))),
        (Type::Map(a), Type::Map(b)) => Type::Map(Box::new(common(a, b))),
        _ => Type::Dyn,
    }
}

/// The names of types as values, for `type(x) == string`.
pub(super) fn named(name: &str) -> Option<&'static str> {
    const NAMES: &[&str] = &[
        "bool",
        "int",
        "uint",
        "decimal",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "timestamp",
        "date",
        "duration",
    ];
    match name {
        "google.protobuf.Timestamp" => Some("timestamp"),
        "google.protobuf.Duration" => Some("duration"),
        _ => NAMES.iter().copied().find(|known| *known == name),
    }
}

/// Appends the canonical text.
pub(super) fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Missing | Value::Null => {}
        Value::String(text) | Value::Number(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => {
            use base64::Engine;
            out.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(bytes).as_bytes());
        }
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                json(item, out);
            }
            out.push(b']');
        }
        Value::Map(entries) => {
            out.push(b'{');
            for (index, (key, item)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                quote(key, out);
                out.push(b':');
                json(item, out);
            }
            out.push(b'}');
        }
        Value::Dict(entries) => {
            out.push(b'{');
            for (index, (key, item)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                let mut text = Vec::new();
                write(key, &mut text);
                quote(&String::from_utf8_lossy(&text), out);
                out.push(b':');
                json(item, out);
            }
            out.push(b'}');
        }
        scalar => write_scalar(scalar, out),
    }
}

fn write_scalar(value: &Value<'_>, out: &mut Vec<u8>) {
    use std::io::Write;
    match value {
        Value::Bool(v) => out.extend_from_slice(if *v { b"true" } else { b"false" }),
        Value::Int(v) => integer(v.unsigned_abs(), *v < 0, out),
        Value::Uint(v) => integer(*v, false, out),
        Value::Decimal(v) => v.write(out),
        Value::Timestamp(v) => v.write(out),
        Value::Date(v) => v.write(out),
        Value::Duration(v) => v.write(out),
        Value::Double(v) => {
            // Writing to a Vec cannot fail.
            let magnitude = v.abs();
            let _ = if v.is_nan() {
                write!(out, "NaN")
            } else if v.is_infinite() {
                write!(out, "{}Infinity", if *v < 0.0 { "-" } else { "" })
            } else if magnitude != 0.0 && !(1e-5..1e21).contains(&magnitude) {
                write!(out, "{v:e}")
            } else {
                write!(out, "{v}")
            };
        }
        _ => {}
    }
}

fn integer(magnitude: u64, negative: bool, out: &mut Vec<u8>) {
    let mut text = [0_u8; 20];
    let (mut at, mut rest) = (text.len(), magnitude);
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(&text[at..]);
}

fn json(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Missing | Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Decimal(_) | Value::Number(_) => write(value, out),
        Value::Double(v) if v.is_finite() => write(value, out),
        Value::List(_) | Value::Map(_) | Value::Dict(_) => write(value, out),
        Value::String(text) => quote(text, out),
        other => {
            let mut text = Vec::new();
            write(other, &mut text);
            quote(&String::from_utf8_lossy(&text), out);
        }
    }
}

fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
