//! Text with values filled in.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static FORMAT: Function = Function {
    spec: Spec {
        name: "format",
        aliases: &[],
        about: "Fills the values of a list into a text: `%s` any value, `%d` an integer, `%f` and `%e` with a precision such as `%.2f`, `%b` `%o` `%x` `%X` other bases, `%%` a percent sign.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("values", Kinds::LIST, "One value for each place."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#""%s has %d".format(["a", 3])"#, r#"a has 3"#),
            Example::ok(r#""%.2f".format([1.005])"#, r#"1.01"#),
            Example::fails(r#""%d".format(["a"])"#, r#"`%d`"#),
            Example::fails(r#""%s".format([])"#, r#"too few"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::List(values)] = arguments else { return Err(super::misuse()) };
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = *text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let mut precision = None;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            precision = Some(
                after[..end]
                    .parse::<usize>()
                    .ok()
                    .filter(|p| *p <= 28)
                    .ok_or_else(|| Failure::value("the precision after `%.` is 0 to 28"))?,
            );
            rest = &after[end..];
        }
        let clause = rest.chars().next().ok_or_else(|| Failure::value("the text ends after `%`"))?;
        rest = &rest[clause.len_utf8()..];
        let value = values.next().ok_or_else(|| Failure::value("there are too few values"))?;
        one(clause, precision, value, &mut out)?;
        call.spend(out.len())?;
    }
    out.push_str(rest);
    call.spend(out.len())?;
    Ok(Value::String(call.arena.alloc_str(&out)))
}

/// Writes one value by one clause.
fn one(clause: char, precision: Option<usize>, value: &Value<'_>, out: &mut String) -> Result<(), Failure> {
    use std::fmt::Write;
    let wrong = || Failure::types(format!("`%{}` does not take {}", clause.escape_default(), value.type_name()));
    let number = match value {
        Value::Number(text) => &Value::Decimal(Decimal::parse(text)?),
        value => value,
    };
    // Writing to a String cannot fail.
    let _ = match (clause, number) {
        ('s', value) => {
            plain(value, out).ok_or_else(wrong)?;
            Ok(())
        }
        ('d', Value::Int(v)) => write!(out, "{v}"),
        ('d', Value::Uint(v)) => write!(out, "{v}"),
        ('d', Value::Decimal(v)) if v.to_i64().is_some() => write!(out, "{}", v.normalised()),
        ('d' | 'f' | 'e', Value::Double(v)) if !v.is_finite() => {
            out.push_str(if v.is_nan() {
                "NaN"
            } else if *v > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            });
            Ok(())
        }
        ('f', Value::Double(v)) => write!(out, "{v:.*}", precision.unwrap_or(6)),
        ('f', Value::Int(v)) => write!(out, "{:.*}", precision.unwrap_or(6), *v as f64),
        ('f', Value::Uint(v)) => write!(out, "{:.*}", precision.unwrap_or(6), *v as f64),
        ('f', Value::Decimal(v)) => {
            let places = precision.unwrap_or(6) as u32;
            write!(out, "{}", v.round(places, crate::record::decimal::Rounding::HalfUp)?)
        }
        ('e', Value::Double(v)) => scientific(*v, precision, out),
        ('e', Value::Int(v)) => scientific(*v as f64, precision, out),
        ('e', Value::Uint(v)) => scientific(*v as f64, precision, out),
        ('e', Value::Decimal(v)) => scientific(v.to_f64(), precision, out),
        ('b', Value::Bool(v)) => write!(out, "{}", u8::from(*v)),
        ('b' | 'o' | 'x' | 'X', Value::Int(v)) => {
            if *v < 0 {
                out.push('-');
            }
            base(clause, v.unsigned_abs(), out)
        }
        ('b' | 'o' | 'x' | 'X', Value::Uint(v)) => base(clause, *v, out),
        ('x', Value::String(v)) => v.bytes().try_for_each(|byte| write!(out, "{byte:02x}")),
        ('X', Value::String(v)) => v.bytes().try_for_each(|byte| write!(out, "{byte:02X}")),
        ('x', Value::Bytes(v)) => v.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
        ('X', Value::Bytes(v)) => v.iter().try_for_each(|byte| write!(out, "{byte:02X}")),
        _ => return Err(wrong()),
    };
    Ok(())
}

fn base(clause: char, number: u64, out: &mut String) -> std::fmt::Result {
    use std::fmt::Write;
    match clause {
        'b' => write!(out, "{number:b}"),
        'o' => write!(out, "{number:o}"),
        'x' => write!(out, "{number:x}"),
        _ => write!(out, "{number:X}"),
    }
}

/// `1.052033e+03`: at least two digits of exponent, as in C.
fn scientific(number: f64, precision: Option<usize>, out: &mut String) -> std::fmt::Result {
    use std::fmt::Write;
    let text = format!("{number:.*e}", precision.unwrap_or(6));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    write!(out, "{mantissa}e{sign}{digits:0>2}")
}

/// Any value as a person reads it; maps in the order of their keys.
fn plain(value: &Value<'_>, out: &mut String) -> Option<()> {
    match value {
        Value::Missing => return None,
        Value::Null => out.push_str("null"),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                plain(item, out)?;
            }
            out.push(']');
        }
        Value::Map(_) | Value::Dict(_) => {
            let mut entries = Vec::new();
            for (key, item) in super::operators::entries(value) {
                let (mut a, mut b) = (String::new(), String::new());
                plain(&key, &mut a)?;
                plain(&item, &mut b)?;
                entries.push((a, b));
            }
            entries.sort();
            let entries: Vec<String> = entries.into_iter().map(|(key, item)| format!("{key}: {item}")).collect();
            out.push('{');
            out.push_str(&entries.join(", "));
            out.push('}');
        }
        Value::Bytes(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        scalar => {
            let mut text = Vec::new();
            crate::expr::format_value(scalar, &mut text);
            out.push_str(&String::from_utf8_lossy(&text));
        }
    }
    Some(())
}
