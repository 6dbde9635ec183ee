//! From target values to JSON: keys escaped once, text copied in runs.

use super::plain::special;
use super::project::plain_keys;
use crate::connect::formats::{base64, double, integer};
use crate::connect::{EncodeError, Encoder};
use crate::error::codes::formats::{FORMAT_ENCODE, FORMAT_OPTIONS};
use crate::error::{Error, Kind, Result};
use crate::record::{Column, Value};

/// Encoder of one worker.
pub(in crate::connect::formats) struct JsonEncoder {
    root: Vec<(Vec<u8>, Slot)>,
    /// What ends each record.
    end: &'static [u8],
}

/// What stands under a key, which is kept as `,"name":`.
enum Slot {
    Column(usize),
    Object(Vec<(Vec<u8>, Slot)>),
}

impl JsonEncoder {
    /// An encoder of objects with these columns; a path of several keys makes objects in objects.
    ///
    /// # Errors
    /// If a path has an index, or one column lies inside another.
    pub fn new(columns: &[Column], end: &'static [u8]) -> Result<Self> {
        let mut root = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            let fail = |what: &str| {
                Error::new(Kind::Invalid, &FORMAT_OPTIONS, format!("the target column `{}` {what}", column.path))
            };
            let Some(keys) = plain_keys(&column.path).filter(|keys| !keys.is_empty()) else {
                return Err(fail("is not a path of names"));
            };
            place(&mut root, &keys, index).ok_or_else(|| fail("stands twice, or inside another column"))?;
        }
        Ok(Self { root, end })
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        match object(&self.root, values, out) {
            Ok(_) => {
                out.extend_from_slice(self.end);
                Ok(())
            }
            Err((column, cause)) => {
                out.truncate(start);
                Err(EncodeError { code: &FORMAT_ENCODE, column, cause: format!("the value {cause}") })
            }
        }
    }
}

fn place(fields: &mut Vec<(Vec<u8>, Slot)>, keys: &[&str], column: usize) -> Option<()> {
    let (key, rest) = keys.split_first()?;
    let mut name = b",".to_vec();
    text(key, &mut name);
    name.push(b':');
    let known = fields.iter().position(|(known, _)| *known == name);
    match (known, rest.is_empty()) {
        (None, true) => fields.push((name, Slot::Column(column))),
        (None, false) => {
            let mut inner = Vec::new();
            place(&mut inner, rest, column)?;
            fields.push((name, Slot::Object(inner)));
        }
        (Some(at), false) => match &mut fields[at].1 {
            Slot::Object(inner) => place(inner, rest, column)?,
            Slot::Column(_) => return None,
        },
        (Some(_), true) => return None,
    }
    Some(())
}

/// Writes an object; says whether anything is in it.
fn object(fields: &[(Vec<u8>, Slot)], values: &[Value<'_>], out: &mut Vec<u8>) -> Result<bool, (usize, &'static str)> {
    out.push(b'{');
    let begin = out.len();
    for (name, slot) in fields {
        let before = out.len();
        // The name is kept with the comma before it; the first one goes without.
        let name = &name[usize::from(before == begin)..];
        match slot {
            Slot::Column(column) => {
                let found = values.get(*column).copied().unwrap_or_default();
                if found.is_missing() {
                    continue;
                }
                append(name, out);
                value(&found, out).map_err(|cause| (*column, cause))?;
            }
            Slot::Object(inner) => {
                out.extend_from_slice(name);
                // An object of nothing but missing fields is missing itself.
                if !object(inner, values, out)? {
                    out.truncate(before);
                }
            }
        }
    }
    let filled = out.len() > begin;
    out.push(b'}');
    Ok(filled)
}

/// Appends one value as JSON. A missing one inside a list is null.
///
/// # Errors
/// What it is that JSON has no form for.
pub(in crate::connect) fn value(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match value {
        Value::String(found) => text(found, out),
        Value::Decimal(number) => number.write(out),
        Value::Number(number) => append(number.as_bytes(), out),
        Value::Int(number) => integer(number.unsigned_abs(), *number < 0, out),
        Value::Uint(number) => integer(*number, false, out),
        Value::Missing | Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Double(number) if number.is_finite() => double(*number, out),
        Value::Double(_) => return Err("is not a finite number"),
        Value::Timestamp(moment) => quoted(out, |out| moment.write(out)),
        Value::Date(date) => quoted(out, |out| date.write(out)),
        Value::Duration(span) => quoted(out, |out| span.write(out)),
        Value::Bytes(bytes) => quoted(out, |out| base64(bytes, out)),
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                self::value(item, out)?;
            }
            out.push(b']');
        }
        Value::Map(entries) => map(entries.iter().map(|(key, value)| Ok((*key, value))), out)?,
        Value::Dict(entries) => {
            let entries = entries.iter().map(|(key, value)| match key {
                Value::String(key) => Ok((*key, value)),
                _ => Err("is a map with a key that is not text"),
            });
            map(entries, out)?;
        }
    }
    Ok(())
}

fn map<'v>(
    entries: impl Iterator<Item = Result<(&'v str, &'v Value<'v>), &'static str>>,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    out.push(b'{');
    let begin = out.len();
    for entry in entries {
        let (key, found) = entry?;
        if found.is_missing() {
            continue;
        }
        if out.len() > begin {
            out.push(b',');
        }
        text(key, out);
        out.push(b':');
        value(found, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Appends a string with its quotes: eight bytes at a time while nothing needs an escape.
#[inline]
pub(in crate::connect::formats) fn text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        if special(u64::from_le_bytes(*word)) != 0 {
            break;
        }
        at += 8;
    }
    // The last eight bytes again, rather than the rest byte by byte.
    let plain = match bytes.last_chunk::<8>() {
        Some(word) if bytes.len() - at < 8 && special(u64::from_le_bytes(*word)) == 0 => None,
        _ => bytes[at..].iter().position(|byte| ESCAPES[usize::from(*byte)] != 0),
    };
    match plain {
        None => append(bytes, out),
        Some(more) => escaped(bytes, at + more, out),
    }
    out.push(b'"');
}

/// Appends some bytes. What is written is mostly short, and a copy whose length is known when it is
/// compiled costs a fraction of a call: the two ends, which may overlap.
#[inline]
pub(in crate::connect) fn append(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.len() > 32 {
        out.extend_from_slice(bytes);
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        ends(first, last, bytes.len(), out);
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        ends(first, last, bytes.len(), out);
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        ends(first, last, bytes.len(), out);
    } else {
        bytes.iter().for_each(|byte| out.push(*byte));
    }
}

#[inline(always)]
fn ends<const N: usize>(first: &[u8; N], last: &[u8; N], length: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.reserve(2 * N);
    out.extend_from_slice(first);
    out.truncate(start + length - N);
    out.extend_from_slice(last);
}

/// The rest of a string from its first byte that needs an escape.
#[cold]
fn escaped(bytes: &[u8], first: usize, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate().skip(first) {
        let escape = ESCAPES[usize::from(*byte)];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        if escape == b'u' {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(&bytes[from..]);
}

/// For each byte the letter of its escape, 0 if it needs none.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0A] = b'n';
    table[0x0C] = b'f';
    table[0x0D] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};
