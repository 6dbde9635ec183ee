//! From target values to CSV: quotes only where the text would be read as something else.

use super::Dialect;
use crate::connect::formats::{base64, double, integer};
use crate::connect::{EncodeError, Encoder, Frame};
use crate::error::codes::formats::{FORMAT_ENCODE, FORMAT_OPTIONS};
use crate::error::{Error, Kind, Result};
use crate::record::decimal::DecimalError;
use crate::record::path::Step;
use crate::record::{Column, Decimal, Value};

/// Encoder of one worker.
pub(super) struct CsvEncoder {
    dialect: Dialect,
    /// For each byte, whether a field that holds it must be quoted.
    special: [bool; 256],
    /// A row of a single column that is null would be a blank line, which has its meaning only there.
    columns: usize,
}

impl CsvEncoder {
    pub(super) fn new(dialect: Dialect, columns: &[Column]) -> Result<Self> {
        names(columns)?;
        let mut special = [false; 256];
        for byte in [Some(dialect.delimiter), dialect.quote, Some(b'\n'), Some(b'\r')].into_iter().flatten() {
            special[usize::from(byte)] = true;
        }
        Ok(Self { dialect, special, columns: columns.len() })
    }

    /// Appends text, quoted where it must be.
    fn text(&self, text: &str, first: bool, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let bytes = text.as_bytes();
        let edge = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        let special = bytes.iter().any(|byte| self.special[usize::from(*byte)]);
        let needed = special
            || text == self.dialect.null_text
            || bytes.is_empty()
            || edge(bytes.first())
            || edge(bytes.last())
            || (first && (self.dialect.comment.is_some() && bytes.first() == self.dialect.comment.as_ref()))
            || (first && bytes.starts_with("\u{feff}".as_bytes()));
        if !needed {
            out.extend_from_slice(bytes);
            return Ok(());
        }
        let Some(quote) = self.dialect.quote else {
            let trimmed = self.dialect.trim && (edge(bytes.first()) || edge(bytes.last()));
            let marked =
                first && (bytes.first() == self.dialect.comment.as_ref() || bytes.starts_with("\u{feff}".as_bytes()));
            if special || trimmed || marked || text == self.dialect.null_text {
                return Err("would need quotes, and `quote` is `none`");
            }
            out.extend_from_slice(bytes);
            return Ok(());
        };
        out.push(quote);
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == quote || (self.dialect.backslash && *byte == b'\\') {
                out.extend_from_slice(&bytes[from..at]);
                out.push(if self.dialect.backslash { b'\\' } else { quote });
                from = at;
            }
        }
        out.extend_from_slice(&bytes[from..]);
        out.push(quote);
        Ok(())
    }

    /// Whether a spreadsheet would run a text as a formula, in the wide forms of East Asia too. Numbers are none.
    fn is_formula(&self, text: &str) -> bool {
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
            && Decimal::parse(text) == Err(DecimalError::Syntax)
            && !(self.dialect.decimal_comma && Decimal::parse(&text.replacen(',', ".", 1)) != Err(DecimalError::Syntax))
    }

    /// Digits and words are plain in any sane dialect; a strange one makes them special.
    fn plain(&self, start: usize, first: bool, decimal: bool, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let written = &out[start..];
        let clash = written.iter().any(|byte| self.special[usize::from(*byte)])
            || written == self.dialect.null_text.as_bytes()
            || (first && self.dialect.comment.is_some() && written.first() == self.dialect.comment.as_ref());
        let comma = decimal && self.dialect.decimal_comma;
        if !clash && !comma {
            return Ok(());
        }
        let mut text = String::from_utf8_lossy(written).into_owned();
        out.truncate(start);
        if comma {
            text = text.replace('.', ",");
        }
        self.text(&text, first, out)
    }

    fn value(&self, value: &Value<'_>, first: bool, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let start = out.len();
        match value {
            Value::Missing | Value::Null => {
                out.extend_from_slice(self.dialect.null_text.as_bytes());
                return Ok(());
            }
            Value::String(text) if self.dialect.guard && self.is_formula(text) => {
                return self.text(&format!("'{text}"), first, out);
            }
            Value::String(text) => return self.text(text, first, out),
            Value::Bytes([]) => return self.text("", first, out),
            Value::Bytes(bytes) => base64(bytes, out),
            Value::Decimal(number) => number.write(out),
            Value::Number(text) => out.extend_from_slice(text.as_bytes()),
            Value::Double(number) if number.is_finite() => double(*number, out),
            Value::Double(_) => return Err("is not a finite number"),
            Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::Int(number) => integer(number.unsigned_abs(), *number < 0, out),
            Value::Uint(number) => integer(*number, false, out),
            Value::Date(date) => date.write(out),
            Value::Timestamp(moment) => moment.write(out),
            Value::Duration(span) => span.write(out),
            Value::List(_) => return Err("is a list, and a CSV field is a single value"),
            Value::Map(_) | Value::Dict(_) => return Err("is a map, and a CSV field is a single value"),
        }
        let decimal = matches!(value, Value::Decimal(_) | Value::Number(_) | Value::Double(_));
        self.plain(start, first, decimal, out)
    }
}

impl Encoder for CsvEncoder {
    fn encode(&mut self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        debug_assert_eq!(values.len(), self.columns);
        let start = out.len();
        for (column, value) in values.iter().enumerate() {
            if column > 0 {
                out.push(self.dialect.delimiter);
            }
            if let Err(cause) = self.value(value, column == 0, out) {
                out.truncate(start);
                return Err(EncodeError { code: &FORMAT_ENCODE, column, cause: format!("the value {cause}") });
            }
        }
        out.extend_from_slice(if self.dialect.crlf { b"\r\n" } else { b"\n" });
        Ok(())
    }
}

/// The header line; rows end themselves.
pub(super) fn frame(dialect: &Dialect, columns: &[Column]) -> Result<Frame> {
    let mut frame = Frame::default();
    let line_end: &[u8] = if dialect.crlf { b"\r\n" } else { b"\n" };
    if let Some((start, end)) = &dialect.count_line {
        frame.count_at = Some(start.len());
        frame.before = [start.as_bytes(), end.as_bytes(), line_end].concat();
    }
    let names = names(columns)?;
    if dialect.header && !names.is_empty() {
        let encoder = CsvEncoder::new(dialect.clone(), columns)?;
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                frame.before.push(dialect.delimiter);
            }
            encoder.text(name, index == 0, &mut frame.before).map_err(|cause| {
                Error::new(Kind::Invalid, &FORMAT_OPTIONS, format!("the column name `{name}` {cause}"))
            })?;
        }
        frame.before.extend_from_slice(line_end);
    }
    Ok(frame)
}

/// Column names: nested paths are flattened with points.
fn names(columns: &[Column]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let keys: Option<Vec<&str>> = column
            .path
            .0
            .iter()
            .map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) | Step::Each => None,
            })
            .collect();
        let Some(name) = keys.filter(|keys| !keys.is_empty()).map(|keys| keys.join(".")) else {
            return Err(Error::new(
                Kind::Invalid,
                &FORMAT_OPTIONS,
                format!("a CSV column has a plain name, which `{}` is not", column.path),
            ));
        };
        if names.contains(&name) {
            return Err(Error::new(Kind::Invalid, &FORMAT_OPTIONS, format!("two columns would be named `{name}`")));
        }
        names.push(name);
    }
    Ok(names)
}
