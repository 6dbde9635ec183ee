//! Target records as lines of COPY's text form
//! (<https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format"), made on the workers:
//! the writing thread only numbers the lines and streams them. Text needs no knowledge of the
//! server's column types, and the server reads it as fast as the binary form.

use crate::connect::formats::json_text;
use crate::connect::{EncodeError, Encoder};
use crate::error::codes::connect::VALUE_UNFIT;
use crate::record::{Column, Decimal, Type, Value};

/// What a column takes, decided once.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Anything,
    Integer,
    Other,
}

/// Writes target records as lines. One per worker.
pub(super) struct CopyEncoder {
    wanted: Vec<Wanted>,
    names: Vec<String>,
    /// The key's columns, in the order of the key.
    key: Vec<usize>,
    is_key: Vec<bool>,
    /// Nothing but the key is written.
    keys_alone: bool,
    scratch: Vec<u8>,
}

impl CopyEncoder {
    /// For these columns; with `keys_alone` only the key of a record is written.
    pub(super) fn new(columns: &[Column], key: &[usize], keys_alone: bool) -> Self {
        let wanted = columns.iter().map(|column| match column.kind {
            Type::Dyn => Wanted::Anything,
            Type::Int | Type::Uint => Wanted::Integer,
            _ => Wanted::Other,
        });
        Self {
            wanted: wanted.collect(),
            names: columns.iter().map(|column| column.path.to_string()).collect(),
            key: key.to_vec(),
            is_key: (0..columns.len()).map(|index| key.contains(&index)).collect(),
            keys_alone,
            scratch: Vec::new(),
        }
    }

    /// Writes the key's values, given in the order of the key.
    fn put_key<'v>(
        &mut self,
        values: impl Iterator<Item = Option<&'v Value<'v>>>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        for (place, value) in values.enumerate() {
            let column = self.key.get(place).copied().unwrap_or_default();
            if place > 0 {
                out.push(b'\t');
            }
            let done = match value {
                None | Some(Value::Missing | Value::Null) => Err(KEY_IS_NULL),
                Some(value) => put(value, self.wanted[column], &mut self.scratch, out),
            };
            if let Err(why) = done {
                out.truncate(start);
                return Err(self.refuse(column, why));
            }
        }
        out.push(b'\n');
        Ok(())
    }

    #[cold]
    fn refuse(&self, column: usize, why: &str) -> EncodeError {
        let name = self.names.get(column).map_or("?", String::as_str);
        EncodeError { code: &VALUE_UNFIT, column, cause: format!("column `{name}`: {why}") }
    }
}

const KEY_IS_NULL: &str = "a key must not be null";

impl Encoder for CopyEncoder {
    fn encode(&mut self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if values.len() != self.wanted.len() {
            return Err(self.refuse(values.len(), "the record has another number of columns than the target"));
        }
        if self.keys_alone {
            let key = self.key.clone();
            return self.put_key(key.iter().map(|column| values.get(*column)), out);
        }
        let start = out.len();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                out.push(b'\t');
            }
            let done = match value {
                Value::String(text) => put_text(text, out),
                Value::Missing | Value::Null if self.is_key[index] => Err(KEY_IS_NULL),
                Value::Missing | Value::Null => {
                    out.extend_from_slice(b"\\N");
                    Ok(())
                }
                other => put(other, self.wanted[index], &mut self.scratch, out),
            };
            if let Err(why) = done {
                out.truncate(start);
                return Err(self.refuse(index, why));
            }
        }
        out.push(b'\n');
        Ok(())
    }

    fn encode_key(&mut self, key: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.put_key(key.iter().map(Some), out)
    }
}

/// Appends a value that is not null.
fn put(value: &Value<'_>, wanted: Wanted, scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match value {
        Value::String(text) => return put_text(text, out),
        Value::Int(number) => Decimal::from_i64(*number).write(out),
        Value::Uint(number) => Decimal::from_u64(*number).write(out),
        Value::Decimal(number) if wanted == Wanted::Integer => {
            Decimal::from_i64(number.to_i64().ok_or("the number is no 64-bit integer")?).write(out);
        }
        Value::Number(text) if wanted == Wanted::Integer && text.bytes().any(|b| !b.is_ascii_digit() && b != b'-') => {
            let number = Decimal::parse(text).ok().and_then(Decimal::to_i64);
            Decimal::from_i64(number.ok_or("the number is no 64-bit integer")?).write(out);
        }
        Value::Decimal(number) => number.write(out),
        // The grammar of JSON numbers has nothing that COPY would escape.
        Value::Number(text) => out.extend_from_slice(text.as_bytes()),
        Value::Double(number) => put_double(*number, out),
        Value::Bool(truth) => out.push(if *truth { b't' } else { b'f' }),
        Value::Timestamp(moment) if moment.nanos % 1000 != 0 => {
            return Err("PostgreSQL keeps microseconds: cut the time to them in the mapping");
        }
        Value::Timestamp(moment) => moment.write(out),
        Value::Date(date) => date.write(out),
        Value::Duration(span) if span.nanos % 1000 != 0 => {
            return Err("PostgreSQL keeps microseconds: cut the span to them in the mapping");
        }
        Value::Duration(span) => span.write(out),
        Value::Bytes(bytes) => {
            out.extend_from_slice(b"\\\\x");
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            out.extend(bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]));
        }
        Value::List(_) | Value::Map(_) | Value::Dict(_) => {
            scratch.clear();
            json_text(value, scratch)?;
            escape(scratch, out);
        }
        Value::Missing | Value::Null => out.extend_from_slice(b"\\N"),
    }
    Ok(())
}

/// The shortest text that reads back as the same number; the server knows NaN and Infinity.
fn put_double(number: f64, out: &mut Vec<u8>) {
    let text = if number.is_nan() {
        "NaN".to_string()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        format!("{number:?}")
    };
    out.extend_from_slice(text.as_bytes());
}

#[inline]
fn put_text(text: &str, out: &mut Vec<u8>) -> Result<(), &'static str> {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err("PostgreSQL has no text with the character U+0000: take it out in the mapping");
    }
    escape(text.as_bytes(), out);
    Ok(())
}

/// Which bytes COPY's text form escapes: those that end a field or a line, and the escape itself.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    table[b'\\' as usize] = b'\\';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table
};

#[inline]
fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| ESCAPES[usize::from(*byte)] != 0) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', ESCAPES[usize::from(rest[at])]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Duration, Path, Timestamp};

    fn encoder(kinds: &[Type], key: &[usize]) -> CopyEncoder {
        let columns: Vec<Column> = kinds
            .iter()
            .enumerate()
            .map(|(i, kind)| Column { path: Path::key(format!("c{i}")), kind: kind.clone(), required: false })
            .collect();
        CopyEncoder::new(&columns, key, false)
    }

    fn check(kind: Type, value: Value<'_>, expected: Result<&str, &str>) {
        let mut out = b"before".to_vec();
        let done = encoder(&[Type::Int, kind], &[]).encode(&[Value::Int(1), value], &mut out);
        match (done, expected) {
            (Ok(()), Ok(text)) => assert_eq!(String::from_utf8_lossy(&out), format!("before1\t{text}\n"), "{value:?}"),
            (Err(error), Err(part)) => {
                assert!(error.cause.contains(part), "{}", error.cause);
                assert_eq!((error.column, out.as_slice()), (1, b"before".as_slice()), "nothing was appended");
            }
            (done, _) => panic!("{value:?}: {done:?}"),
        }
    }

    #[test]
    fn values_take_the_form_of_copy() {
        check(Type::String, Value::Null, Ok(r"\N"));
        check(Type::String, Value::Missing, Ok(r"\N"));
        check(Type::String, Value::String(r"\N"), Ok(r"\\N"));
        check(Type::String, Value::String(""), Ok(""));
        check(Type::String, Value::String("a\tb\nc\r\\."), Ok(r"a\tb\nc\r\\."));
        check(Type::String, Value::String("a\0b"), Err("U+0000"));
        check(Type::Int, Value::Number("2.0"), Ok("2"));
        check(Type::Int, Value::Number("-2"), Ok("-2"));
        check(Type::Int, Value::Number("2.5"), Err("no 64-bit integer"));
        check(Type::Uint, Value::Uint(u64::MAX), Ok("18446744073709551615"));
        check(Type::Decimal, Value::Number("1.50"), Ok("1.50"));
        check(Type::Decimal, Value::Decimal(Decimal::parse("35.990").unwrap()), Ok("35.990"));
        check(Type::Double, Value::Double(1e300), Ok("1e300"));
        check(Type::Double, Value::Double(f64::NEG_INFINITY), Ok("-Infinity"));
        check(Type::Bool, Value::Bool(false), Ok("f"));
        check(Type::Bytes, Value::Bytes(&[0, 255]), Ok(r"\\x00ff"));
        let list = [Value::Number("1.50"), Value::String("a\"\n"), Value::Null];
        check(Type::Dyn, Value::List(&list), Ok(r#"[1.50,"a\\"\\n",null]"#));
        let moment = |text| Value::Timestamp(Timestamp::parse_rfc3339(text).unwrap());
        check(Type::Timestamp, moment("2024-02-29T23:59:59.000001+05:30"), Ok("2024-02-29T23:59:59.000001+05:30"));
        check(Type::Timestamp, moment("2024-02-29T23:59:59.0000001Z"), Err("microseconds"));
        check(Type::Duration, Value::Duration(Duration::parse("-1.5s").unwrap()), Ok("-1.5s"));
    }

    #[test]
    fn keys_stand_alone_where_they_are_asked_for() {
        let mut made = encoder(&[Type::Int, Type::String], &[1, 0]);
        let mut out = Vec::new();
        made.encode_key(&[Value::String("x\t"), Value::Int(7)], &mut out).unwrap();
        made.keys_alone = true;
        made.encode(&[Value::Int(8), Value::String("y")], &mut out).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), "x\\t\t7\ny\t8\n");
        let error = made.encode(&[Value::Null, Value::String("y")], &mut out).unwrap_err();
        assert_eq!((error.column, error.cause.contains("key")), (0, true));
    }
}
