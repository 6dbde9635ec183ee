//! Canonical JSON bytes (RFC 8785): one value has one spelling, so that its hash means something.
//!
//! Two things go beyond the RFC on purpose: a whole number that a double cannot hold exactly and a
//! number too large for a double are written as strings, so that no reader rounds them.

use serde_json::{Map, Value};

/// Largest whole number that every JSON reader keeps exactly.
const LARGEST_EXACT: i128 = (1 << 53) - 1;

/// The canonical bytes of a value: keys sorted by UTF-16, no white space, numbers as ECMAScript writes them.
pub fn bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write(value, &mut out);
    out
}

/// Writes the canonical bytes of a value.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => match number.as_u64() {
            Some(whole) if i128::from(whole) <= LARGEST_EXACT => write_whole(whole, out),
            _ => write_number(&number.to_string(), out),
        },
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(map) => write_map(map, out),
    }
}

/// Writes the canonical bytes of an object.
pub fn write_map(map: &Map<String, Value>, out: &mut Vec<u8>) {
    // As nearly all are: then the order of bytes is that of code units.
    if map.keys().all(|key| key.is_ascii()) && map.keys().is_sorted() {
        return write_entries(map.iter(), out);
    }
    let mut entries: Vec<_> = map.iter().collect();
    // Code units, not code points: they differ above the basic plane.
    entries.sort_by(|a, b| {
        if a.0.is_ascii() && b.0.is_ascii() { a.0.cmp(b.0) } else { a.0.encode_utf16().cmp(b.0.encode_utf16()) }
    });
    write_entries(entries.into_iter(), out);
}

fn write_entries<'a>(entries: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (key, item)) in entries.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(key, out);
        out.push(b':');
        write(item, out);
    }
    out.push(b'}');
}

/// Writes text as a canonical JSON string.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    // Nearly all text needs no escapes; looked at without leaving early, it is looked at many bytes at a time.
    if !text.bytes().fold(false, |found, byte| found | (byte < 32) | (byte == b'"') | (byte == b'\\')) {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            9 => out.extend_from_slice(b"\\t"),
            10 => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            13 => out.extend_from_slice(b"\\r"),
            0..=31 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Writes a whole number that every JSON reader keeps exactly.
pub fn write_whole(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes a double as [`write`] does, without a detour where it has no more than three decimals: of those
/// no shorter spelling leads back to the same double.
pub fn write_double(double: f64, out: &mut Vec<u8>) {
    let thousandths = (double * 1000.0).round();
    if !(0.0..1e9).contains(&thousandths) || thousandths / 1000.0 != double {
        return write(&Value::from(double), out);
    }
    let thousandths = thousandths as u64;
    write_whole(thousandths / 1000, out);
    let rest = thousandths % 1000;
    let digits = [rest / 100, rest / 10 % 10, rest % 10];
    let shown = digits.iter().rposition(|digit| *digit > 0).map_or(0, |last| last + 1);
    if shown > 0 {
        out.push(b'.');
        out.extend(digits[..shown].iter().map(|digit| b'0' + *digit as u8));
    }
}

fn write_number(text: &str, out: &mut Vec<u8>) {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        match text.parse::<i128>() {
            Ok(whole) if whole.abs() <= LARGEST_EXACT => out.extend_from_slice(whole.to_string().as_bytes()),
            _ => write_text(text, out),
        }
        return;
    }
    match text.parse::<f64>() {
        Ok(double) if double.is_finite() => {
            let spelled = ecmascript(double);
            if spelled.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit()) {
                // Spelled as a whole number it is one, and falls under the rule above.
                return write_number(&spelled, out);
            }
            out.extend_from_slice(spelled.as_bytes());
        }
        _ => write_text(text, out),
    }
}

/// A finite double as ECMAScript's `Number::toString` writes it: the shortest digits that lead
/// back, an exponent only below 1e-6 and from 1e21.
fn ecmascript(double: f64) -> String {
    if double == 0.0 {
        return "0".to_string();
    }
    let scientific = format!("{:e}", double.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific.as_str(), "0"));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let count = digits.len() as i32;
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let sign = if double < 0.0 { "-" } else { "" };
    let zeros = |n: i32| "0".repeat(n.max(0) as usize);
    if (count..=21).contains(&point) {
        format!("{sign}{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (whole, rest) = digits.split_at(point as usize);
        format!("{sign}{whole}.{rest}")
    } else if (-5..=0).contains(&point) {
        format!("{sign}0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let mark = if point > 0 { "+" } else { "-" };
        format!("{sign}{first}{dot}{rest}e{mark}{}", (point - 1).abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(input: &str, expected: &str) {
        let value: Value = serde_json::from_str(input).expect("json");
        assert_eq!(String::from_utf8(bytes(&value)).expect("utf-8"), expected, "{input}");
    }

    #[test]
    fn follows_the_examples_of_rfc_8785() {
        check(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
        );
        check(
            r#"{"\ufb33":1,"\ud83d\ude00":2,"\r":3,"1":4,"\u20ac":5,"\u0080":6,"\u00f6":7}"#,
            "{\"\\r\":3,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":5,\"😀\":2,\"\u{fb33}\":1}",
        );
        for (input, expected) in [
            ("0.0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("5e-324", "5e-324"),
            ("1e21", "1e+21"),
            ("1e15", "1000000000000000"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("-1.5e300", "-1.5e+300"),
            ("123456.789", "123456.789"),
        ] {
            check(input, expected);
        }
    }

    #[test]
    fn a_number_no_double_holds_becomes_text() {
        check("9007199254740991", "9007199254740991");
        check("9007199254740992", "\"9007199254740992\"");
        check("-123456789012345678901234567890123456789012345", "\"-123456789012345678901234567890123456789012345\"");
        check("1e20", "\"100000000000000000000\"");
        check("1e999", "\"1e+999\"");
    }

    #[test]
    fn doubles_of_few_decimals_are_written_the_same_without_the_detour() {
        let doubles = (0..3000).map(|n| f64::from(n) / 1000.0);
        for double in doubles.chain([0.0, -0.0, -0.5, 0.1 + 0.2, 1e9, 999_999.999, 1e21, 5e-324, 0.0005, f64::MAX]) {
            let mut short = Vec::new();
            write_double(double, &mut short);
            assert_eq!(short, bytes(&Value::from(double)), "{double}");
        }
        for whole in [0, 9, 10, 1 << 53, u64::MAX] {
            let mut short = Vec::new();
            write_whole(whole, &mut short);
            assert_eq!(short, whole.to_string().into_bytes());
        }
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|v| Value::Object(v.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn reading_and_writing_again_changes_nothing(value in tree()) {
            let once = bytes(&value);
            let read: Value = serde_json::from_slice(&once).expect("canonical bytes are JSON");
            prop_assert_eq!(bytes(&read), once);
        }
    }
}
