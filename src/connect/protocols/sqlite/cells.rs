//! The compact form in which target values travel from the workers to the one thread that
//! writes: a tag, and for text its length and bytes. The writing thread only binds.
//!
//! | tag | follows |
//! |---|---|
//! | `0` | nothing: null |
//! | `1` | eight bytes, little endian: an integer |
//! | `2` | eight bytes, little endian: a binary floating-point number |
//! | `3`, `4`, `5` | four bytes of length, little endian, and the bytes: text, raw bytes, decimal |
//! | `0x40..0x80` | a decimal of `tag - 0x40` bytes |
//! | `0x80..=0xff` | text of `tag - 0x80` bytes |

use crate::connect::{EncodeError, Encoder};
use crate::error::codes::connect::VALUE_UNFIT;
use crate::record::{Column, Type, Value};

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const DOUBLE: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;
const DECIMAL: u8 = 5;
const SHORT_DECIMAL: u8 = 0x40;
const SHORT_TEXT: u8 = 0x80;

/// One cell, as it is bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'b> {
    Null,
    Integer(i64),
    Double(f64),
    Text(&'b [u8]),
    /// Text that is an exact number: a column that would make a binary number of it must not get it.
    Decimal(&'b [u8]),
    Blob(&'b [u8]),
}

impl<'b> Cell<'b> {
    /// Takes the next cell off the bytes; `None` if they are not what the encoder writes.
    #[inline]
    pub(super) fn take(bytes: &mut &'b [u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        let (cell, rest) = match *tag {
            tag @ SHORT_TEXT.. => {
                let (text, rest) = rest.split_at_checked(usize::from(tag - SHORT_TEXT))?;
                (Cell::Text(text), rest)
            }
            tag @ SHORT_DECIMAL..SHORT_TEXT => {
                let (text, rest) = rest.split_at_checked(usize::from(tag - SHORT_DECIMAL))?;
                (Cell::Decimal(text), rest)
            }
            NULL => (Cell::Null, rest),
            INTEGER => {
                let (number, rest) = rest.split_first_chunk::<8>()?;
                (Cell::Integer(i64::from_le_bytes(*number)), rest)
            }
            DOUBLE => {
                let (number, rest) = rest.split_first_chunk::<8>()?;
                (Cell::Double(f64::from_le_bytes(*number)), rest)
            }
            tag @ (TEXT | BLOB | DECIMAL) => {
                let (length, rest) = rest.split_first_chunk::<4>()?;
                let (content, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                match tag {
                    TEXT => (Cell::Text(content), rest),
                    BLOB => (Cell::Blob(content), rest),
                    _ => (Cell::Decimal(content), rest),
                }
            }
            _ => return None,
        };
        *bytes = rest;
        Some(cell)
    }
}

/// What a column takes, decided once.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Anything,
    Integer,
    Truth,
    Decimal,
    Double,
    Text,
    Bytes,
}

/// Writes target records as cells. One per worker.
pub(super) struct CellEncoder {
    wanted: Vec<Wanted>,
    key: Vec<bool>,
    /// The key's columns, in the order of the key.
    keys: Vec<usize>,
    /// Nothing but the key is written.
    keys_alone: bool,
    columns: Vec<Column>,
}

impl CellEncoder {
    pub(super) fn new(columns: &[Column], key: &[usize]) -> Self {
        let wanted = columns
            .iter()
            .map(|column| match column.kind {
                Type::Int | Type::Uint => Wanted::Integer,
                Type::Bool => Wanted::Truth,
                Type::Decimal => Wanted::Decimal,
                Type::Double => Wanted::Double,
                Type::String | Type::Timestamp | Type::Date | Type::Duration => Wanted::Text,
                Type::Bytes => Wanted::Bytes,
                _ => Wanted::Anything,
            })
            .collect();
        Self {
            wanted,
            key: (0..columns.len()).map(|index| key.contains(&index)).collect(),
            keys: key.to_vec(),
            keys_alone: false,
            columns: columns.to_vec(),
        }
    }

    /// Writes of each record only its key.
    pub(super) fn keys_alone(self) -> Self {
        Self { keys_alone: true, ..self }
    }

    #[cold]
    fn refuse(&self, column: usize, why: &str) -> EncodeError {
        let name = self.columns.get(column).map_or_else(|| "?".to_string(), |c| c.path.to_string());
        EncodeError { code: &VALUE_UNFIT, column, cause: format!("column `{name}`: {why}") }
    }

    /// Writes the key's values, given in the order of the key.
    fn put_key<'v>(
        &self,
        values: impl Iterator<Item = Option<&'v Value<'v>>>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        for (column, value) in self.keys.iter().zip(values) {
            let done = match value {
                None | Some(Value::Missing | Value::Null) => Err(KEY_IS_NULL),
                Some(Value::String(text)) if matches!(self.wanted[*column], Wanted::Text | Wanted::Anything) => {
                    put_text(text.as_bytes(), out);
                    Ok(())
                }
                Some(other) => put(other, self.wanted[*column], out),
            };
            if let Err(why) = done {
                out.truncate(start);
                return Err(self.refuse(*column, why));
            }
        }
        Ok(())
    }
}

const KEY_IS_NULL: &str = "a key must not be null";

impl Encoder for CellEncoder {
    fn encode(&mut self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        if values.len() != self.wanted.len() {
            return Err(self.refuse(values.len(), "the record has another number of columns than the target"));
        }
        if self.keys_alone {
            return self.put_key(self.keys.iter().map(|column| values.get(*column)), out);
        }
        for (index, (value, wanted)) in values.iter().zip(&self.wanted).enumerate() {
            let done = match value {
                Value::String(text) if matches!(wanted, Wanted::Text | Wanted::Anything) => {
                    put_text(text.as_bytes(), out);
                    Ok(())
                }
                Value::Missing | Value::Null if self.key[index] => Err(KEY_IS_NULL),
                Value::Missing | Value::Null => {
                    out.push(NULL);
                    Ok(())
                }
                other => put(other, *wanted, out),
            };
            if let Err(why) = done {
                out.truncate(start);
                return Err(self.refuse(index, why));
            }
        }
        Ok(())
    }

    fn encode_key(&mut self, key: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.put_key(key.iter().map(Some), out)
    }
}

/// Appends a value that is neither null nor plain text in a text column.
fn put(value: &Value<'_>, wanted: Wanted, out: &mut Vec<u8>) -> Result<(), &'static str> {
    const KIND: &str = "the value is of another type than the mapping promised";
    match (wanted, value) {
        (Wanted::Integer | Wanted::Anything, Value::Int(number)) => put_integer(*number, out),
        (Wanted::Integer | Wanted::Anything, Value::Uint(number)) => match i64::try_from(*number) {
            Ok(number) => put_integer(number, out),
            Err(_) if wanted == Wanted::Anything => put_decimal(out, |out| {
                crate::record::Decimal::from_u64(*number).write(out);
            }),
            Err(_) => return Err("SQLite integers end at 9223372036854775807"),
        },
        (Wanted::Integer, Value::Decimal(number)) => {
            put_integer(number.to_i64().ok_or("the number is no 64-bit integer")?, out);
        }
        (Wanted::Integer, Value::Number(text)) => {
            put_integer(integer(text).ok_or("the number is no 64-bit integer")?, out);
        }
        (Wanted::Anything, Value::Number(text)) => match text.parse::<i64>() {
            // Only what comes back as it was: `-0` and `007` are kept as text.
            Ok(number) if canonical(text) => put_integer(number, out),
            _ => put_decimal(out, |out| out.extend_from_slice(text.as_bytes())),
        },
        (Wanted::Truth | Wanted::Integer | Wanted::Anything, Value::Bool(truth)) => put_integer(i64::from(*truth), out),
        (Wanted::Decimal | Wanted::Anything, Value::Decimal(number)) => put_decimal(out, |out| number.write(out)),
        (Wanted::Decimal, Value::Number(text)) => put_decimal(out, |out| out.extend_from_slice(text.as_bytes())),
        (Wanted::Decimal, Value::Int(number)) => {
            put_decimal(out, |out| crate::record::Decimal::from_i64(*number).write(out));
        }
        (Wanted::Decimal, Value::Uint(number)) => {
            put_decimal(out, |out| crate::record::Decimal::from_u64(*number).write(out));
        }
        (Wanted::Double | Wanted::Anything, Value::Double(number)) => {
            out.push(DOUBLE);
            out.extend_from_slice(&number.to_le_bytes());
        }
        (Wanted::Text, Value::Number(text)) => put_text(text.as_bytes(), out),
        (Wanted::Text, Value::Int(number)) => put_framed(TEXT, out, |out| {
            crate::record::Decimal::from_i64(*number).write(out);
        }),
        (Wanted::Text, Value::Decimal(number)) => put_framed(TEXT, out, |out| number.write(out)),
        (Wanted::Text | Wanted::Anything, Value::Timestamp(moment)) => put_framed(TEXT, out, |out| moment.write(out)),
        (Wanted::Text | Wanted::Anything, Value::Date(date)) => put_framed(TEXT, out, |out| date.write(out)),
        (Wanted::Text | Wanted::Anything, Value::Duration(span)) => put_framed(TEXT, out, |out| span.write(out)),
        (Wanted::Bytes | Wanted::Anything, Value::Bytes(bytes)) => put_framed(BLOB, out, |out| {
            out.extend_from_slice(bytes);
        }),
        (_, Value::List(_)) => return Err("a list has no form in a table: pick an element or join it into text"),
        (_, Value::Map(_) | Value::Dict(_)) => return Err("a map has no form in a table: pick its fields"),
        _ => return Err(KIND),
    }
    Ok(())
}

fn put_integer(number: i64, out: &mut Vec<u8>) {
    out.push(INTEGER);
    out.extend_from_slice(&number.to_le_bytes());
}

#[inline]
fn put_text(text: &[u8], out: &mut Vec<u8>) {
    match u8::try_from(text.len()) {
        Ok(length) if length < 0x80 => out.push(SHORT_TEXT + length),
        _ => {
            out.push(TEXT);
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        }
    }
    out.extend_from_slice(text);
}

/// Lets `write` append text and puts its length before it.
fn put_framed(tag: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[tag, 0, 0, 0, 0]);
    write(out);
    let length = (out.len() - at - 5) as u32;
    out[at + 1..at + 5].copy_from_slice(&length.to_le_bytes());
}

/// Lets `write` append a number's text; its tag holds the length unless it is unusually long.
fn put_decimal(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    write(out);
    let length = out.len() - at - 1;
    if length < usize::from(SHORT_TEXT - SHORT_DECIMAL) {
        out[at] = SHORT_DECIMAL + length as u8;
    } else {
        out[at] = DECIMAL;
        out.splice(at + 1..at + 1, (length as u32).to_le_bytes());
    }
}

/// The integer a number's text stands for, also written as `1e3` or `2.0`.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| crate::record::Decimal::parse(text).ok()?.to_i64())
}

/// Whether an integer's text is the one SQLite gives back.
fn canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.starts_with('0') && !digits.starts_with('+') || text == "0"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Decimal, Path};
    use proptest::prelude::*;

    fn encoder(kinds: &[Type], key: &[usize]) -> CellEncoder {
        let columns: Vec<Column> = kinds
            .iter()
            .enumerate()
            .map(|(i, kind)| Column { path: Path::key(format!("c{i}")), kind: kind.clone(), required: false })
            .collect();
        CellEncoder::new(&columns, key)
    }

    fn check(kind: Type, value: Value<'_>, expected: Result<Cell<'_>, &str>) {
        let mut out = b"before".to_vec();
        let done = encoder(std::slice::from_ref(&kind), &[]).encode(&[value], &mut out);
        match (done, expected) {
            (Ok(()), Ok(cell)) => {
                let mut rest = &out[6..];
                assert_eq!(Cell::take(&mut rest), Some(cell), "{kind} {value:?}");
                assert!(rest.is_empty());
            }
            (Err(error), Err(part)) => {
                assert!(error.cause.contains(part), "{}", error.cause);
                assert_eq!(out, b"before", "nothing was appended");
            }
            (done, _) => panic!("{kind} {value:?}: {done:?}"),
        }
    }

    #[test]
    fn values_take_the_form_of_their_column() {
        let long = "x".repeat(200);
        let digits = "9".repeat(90);
        check(Type::Dyn, Value::Null, Ok(Cell::Null));
        check(Type::Int, Value::Missing, Ok(Cell::Null));
        check(Type::Int, Value::Int(-5), Ok(Cell::Integer(-5)));
        check(Type::Int, Value::Number("12"), Ok(Cell::Integer(12)));
        check(Type::Int, Value::Number("2.0"), Ok(Cell::Integer(2)));
        check(Type::Int, Value::Number("2.5"), Err("no 64-bit integer"));
        check(Type::Uint, Value::Uint(u64::MAX), Err("SQLite integers end"));
        check(Type::Bool, Value::Bool(true), Ok(Cell::Integer(1)));
        check(Type::String, Value::String(""), Ok(Cell::Text(b"")));
        check(Type::String, Value::String(&long), Ok(Cell::Text(long.as_bytes())));
        check(Type::Decimal, Value::Number("1.50"), Ok(Cell::Decimal(b"1.50")));
        check(Type::Decimal, Value::Number(&digits), Ok(Cell::Decimal(digits.as_bytes())));
        check(Type::Decimal, Value::Decimal(Decimal::parse("35.990").unwrap()), Ok(Cell::Decimal(b"35.990")));
        check(Type::Decimal, Value::String("1.5"), Err("another type"));
        check(Type::Dyn, Value::Number("7"), Ok(Cell::Integer(7)));
        check(Type::Dyn, Value::Number("-0"), Ok(Cell::Decimal(b"-0")));
        check(Type::Dyn, Value::Number("0"), Ok(Cell::Integer(0)));
        check(Type::Dyn, Value::Number("1.50"), Ok(Cell::Decimal(b"1.50")));
        check(Type::Dyn, Value::Bytes(&[0, 255]), Ok(Cell::Blob(&[0, 255])));
        check(Type::Dyn, Value::List(&[]), Err("a list has no form"));
        check(Type::Double, Value::Double(0.5), Ok(Cell::Double(0.5)));
    }

    #[test]
    fn a_null_key_is_refused() {
        let error = encoder(&[Type::Int], &[0]).encode(&[Value::Null], &mut Vec::new()).unwrap_err();
        assert!(error.cause.contains("key"), "{}", error.cause);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(texts in proptest::collection::vec(".{0,200}", 1..6), numbers in proptest::collection::vec(any::<i64>(), 1..6)) {
            let kinds: Vec<Type> = texts.iter().map(|_| Type::String).chain(numbers.iter().map(|_| Type::Int)).collect();
            let values: Vec<Value<'_>> = texts.iter().map(|t| Value::String(t)).chain(numbers.iter().map(|n| Value::Int(*n))).collect();
            let mut out = Vec::new();
            encoder(&kinds, &[]).encode(&values, &mut out).unwrap();
            let mut rest = &out[..];
            for text in &texts {
                prop_assert_eq!(Cell::take(&mut rest), Some(Cell::Text(text.as_bytes())));
            }
            for number in &numbers {
                prop_assert_eq!(Cell::take(&mut rest), Some(Cell::Integer(*number)));
            }
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut rest = &bytes[..];
            while Cell::take(&mut rest).is_some() {}
        }
    }
}
