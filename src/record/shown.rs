//! How values are shown to people, in dead letters, previews and reports: shortened where
//! nothing is known against it, masked where a class says so.

use super::{ClassSet, Value};

/// The most characters of a value that a message shows.
const MOST: usize = 40;

/// The text of a value, whole: numbers as they stand, maps and lists as JSON.
pub fn text(value: &Value<'_>) -> String {
    let mut out = Vec::new();
    write(value, false, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The text of a value on one line, quoted where it is text, cut where it is long.
pub fn short(value: &Value<'_>) -> String {
    let mut out = Vec::new();
    write(value, true, &mut out);
    let whole = String::from_utf8_lossy(&out);
    let mut kept: String = whole.chars().take(MOST).collect();
    if kept.len() < whole.len() {
        kept.push('…');
    }
    kept
}

/// What is shown of a value of these classes: its text if there is none, else a mask that
/// names the gravest class and gives away neither content nor length.
pub fn masked(value: &Value<'_>, classes: ClassSet) -> String {
    match (classes.is_empty(), value.is_absent()) {
        (true, _) => text(value),
        // That nothing is there is no secret, and the commonest cause of a reject.
        (false, true) => text(value),
        (false, false) => mask(classes),
    }
}

/// The mask of these classes: `***[pii.contact.email]`.
pub fn mask(classes: ClassSet) -> String {
    let gravest = classes.iter().max_by_key(|id| id.class().sensitivity);
    gravest.map_or_else(|| "***".to_string(), |id| format!("***[{}]", id.class().name))
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

/// Writes the text of a value; inside lists and maps (`quoted`) as JSON.
pub fn write(value: &Value<'_>, quoted: bool, out: &mut Vec<u8>) {
    let mut scalar = |write: &dyn Fn(&mut Vec<u8>)| {
        if quoted {
            out.push(b'"');
        }
        write(out);
        if quoted {
            out.push(b'"');
        }
    };
    match value {
        Value::Missing => out.extend_from_slice(b"missing"),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(v) => out.extend_from_slice(if *v { b"true" } else { b"false" }),
        Value::Int(v) => out.extend_from_slice(v.to_string().as_bytes()),
        Value::Uint(v) => out.extend_from_slice(v.to_string().as_bytes()),
        Value::Decimal(v) => v.write(out),
        Value::Number(v) => out.extend_from_slice(v.as_bytes()),
        Value::Double(v) => out.extend_from_slice(v.to_string().as_bytes()),
        Value::String(v) if quoted => {
            out.extend_from_slice(serde_json::Value::from(*v).to_string().as_bytes());
        }
        Value::String(v) => out.extend_from_slice(v.as_bytes()),
        Value::Bytes(v) => scalar(&|out| {
            out.extend_from_slice(hex(&v[..v.len().min(MOST)]).as_bytes());
            if v.len() > MOST {
                out.extend_from_slice("…".as_bytes());
            }
        }),
        Value::Timestamp(v) => scalar(&|out| v.write(out)),
        Value::Date(v) => scalar(&|out| v.write(out)),
        Value::Duration(v) => scalar(&|out| v.write(out)),
        Value::List(items) => sequence(b"[]", items.iter(), out, |item, out| write(item, true, out)),
        Value::Map(entries) => sequence(b"{}", entries.iter(), out, |(key, item), out| {
            write(&Value::String(key), true, out);
            out.push(b':');
            write(item, true, out);
        }),
        Value::Dict(entries) => sequence(b"{}", entries.iter(), out, |(key, item), out| {
            write(key, true, out);
            out.push(b':');
            write(item, true, out);
        }),
    }
}

fn sequence<T>(around: &[u8; 2], items: impl Iterator<Item = T>, out: &mut Vec<u8>, each: impl Fn(T, &mut Vec<u8>)) {
    out.push(around[0]);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out);
    }
    out.push(around[1]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ClassId;

    #[test]
    fn a_mask_gives_away_neither_content_nor_length() {
        let email = ClassSet::one(ClassId::named("pii.email").unwrap());
        let pan = ClassSet::one(ClassId::named("pci.pan").unwrap());
        let short = masked(&Value::String("a@b.example"), email);
        assert_eq!(short, masked(&Value::String("a.much.longer.one@b.example"), email));
        assert_eq!(short, "***[pii.contact.email]");
        assert_eq!(masked(&Value::String("4111"), email.union(pan)), "***[pci.pan]");
        assert_eq!(masked(&Value::Null, email), "null");
        assert_eq!(masked(&Value::String("x"), ClassSet::NONE), "x");
    }

    #[test]
    fn values_show_as_text() {
        let list = [Value::Number("1.50"), Value::String("a\"b"), Value::Null];
        let map = [("k", Value::List(&list)), ("d", Value::Date(crate::record::Date { days: 0 }))];
        assert_eq!(text(&Value::Map(&map)), r#"{"k":[1.50,"a\"b",null],"d":"1970-01-01"}"#);
        assert_eq!(short(&Value::String("a\nb")), r#""a\nb""#);
        assert_eq!(short(&Value::String(&"x".repeat(100))).chars().count(), MOST + 1);
        assert_eq!(short(&Value::Int(-5)), "-5");
    }
}
