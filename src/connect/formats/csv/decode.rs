//! From a part of CSV to rows: only the columns that are asked for become values.
//!
//! A row without a quote takes the fast way (its end, then its delimiters, found with
//! `memchr`); the others go through the lexer.

use memchr::{memchr, memchr2};

use super::Dialect;
use super::lex::{self, Flaw, Span};
use crate::connect::formats::characters;
use crate::connect::{Decoder, Header, Part, RecordError, Rows, typed};
use crate::error::codes::formats::{CSV_QUOTE, CSV_RAGGED, FIELD_TYPE, FORMAT_ENCODING};
use crate::error::{Code, Result};
use crate::record::path::Step;
use crate::record::{Arena, Projection, Row, Type, Value};

/// Decoder of one worker.
pub(super) struct CsvDecoder {
    dialect: Dialect,
    /// Fields of a row with quotes.
    fields: Vec<Span>,
    /// Where the fields of a row without quotes end; one for each column.
    ends: Vec<u32>,
}

impl CsvDecoder {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, fields: Vec::new(), ends: Vec::new() }
    }
}

/// A column that is asked for: where its value goes and as what.
struct Want {
    column: usize,
    slot: usize,
    kind: Type,
    /// The text as it is, unless it is empty, which is null: the common case.
    plain: bool,
}

/// What one header and one projection make of a row.
struct Plan<'h> {
    /// Number of slots of the projection.
    slots: usize,
    /// In the order of the columns. Slots past `slots` are the columns of the whole record.
    wants: Vec<Want>,
    /// Slots that hold the whole record.
    whole: Vec<usize>,
    columns: &'h [String],
}

/// Why a record is bad, and at which byte of the part.
struct Fault {
    code: &'static Code,
    cause: String,
    field: Option<usize>,
    byte: usize,
}

impl<'h> Plan<'h> {
    fn new(header: &'h Header, projection: &Projection, dialect: &Dialect) -> Self {
        let columns = header.columns.as_slice();
        let mut plan = Self { slots: projection.paths.len(), wants: Vec::new(), whole: Vec::new(), columns };
        let mut declared: Option<&Type> = None;
        for (slot, path) in projection.paths.iter().enumerate() {
            let kind = projection.types.get(slot).unwrap_or(&Type::Dyn);
            if path.0.is_empty() {
                plan.whole.push(slot);
                declared = declared.or(Some(kind));
                continue;
            }
            // Nested paths are flattened with points when written, so they are found that way again.
            let mut name = String::new();
            for (index, step) in path.0.iter().enumerate() {
                match step {
                    Step::Key(key) if index == 0 => name.push_str(key),
                    Step::Key(key) => name.extend([".", key]),
                    Step::Index(_) | Step::Each => name.push('\0'),
                }
            }
            if let Some(column) = columns.iter().position(|column| *column == name) {
                plan.wants.push(Want { column, slot, kind: kind.clone(), plain: false });
            }
        }
        if let Some(declared) = declared {
            for (column, name) in columns.iter().enumerate() {
                let kind = match declared {
                    Type::Record { fields, .. } => fields.iter().find(|f| f.name == *name).map(|f| f.kind.clone()),
                    Type::Map(inner) => Some((**inner).clone()),
                    _ => None,
                };
                let kind = kind.unwrap_or_default();
                plan.wants.push(Want { column, slot: plan.slots + column, kind, plain: false });
            }
        }
        for want in &mut plan.wants {
            want.plain = matches!(want.kind, Type::Dyn | Type::String) && !dialect.trim && dialect.null_text.is_empty();
        }
        plan.wants.sort_by_key(|want| want.column);
        plan
    }

    /// Room for the values of one row.
    #[inline]
    fn room<'a>(&self, arena: &'a Arena) -> &'a mut [Value<'a>] {
        let extra = if self.whole.is_empty() { 0 } else { self.columns.len() };
        arena.alloc_slice_fill_copy(self.slots + extra, Value::Missing)
    }

    /// The slots, whole records filled in.
    #[inline]
    fn finish<'a>(&self, values: &'a mut [Value<'a>], columns: &'a [String], arena: &'a Arena) -> &'a [Value<'a>] {
        if self.whole.is_empty() {
            return values;
        }
        let (slots, fields) = values.split_at_mut(self.slots);
        let present = fields.iter().take_while(|value| !value.is_missing()).count();
        let entries = columns.iter().zip(fields.iter()).take(present).map(|(name, value)| (name.as_str(), *value));
        let entries = arena.alloc_slice_fill_iter(entries);
        for slot in &self.whole {
            slots[*slot] = Value::Map(entries);
        }
        slots
    }
}

impl Decoder for CsvDecoder {
    fn decode<'a>(
        &mut self,
        part: &'a Part,
        projection: &Projection,
        arena: &'a Arena,
        rows: &mut dyn Rows<'a>,
    ) -> Result<()> {
        let bytes = part.bytes.as_slice();
        let text = simdutf8::basic::from_utf8(bytes).ok();
        let plan = Plan::new(&part.header, projection, &self.dialect);
        let columns = part.header.columns.as_slice();
        let quote = self.dialect.quote.filter(|quote| memchr(*quote, bytes).is_some());
        let slow = lex::lone_returns(bytes) > 0;
        self.ends.clear();
        self.ends.resize(columns.len(), 0);
        let (mut at, mut line, mut index) = (0, 0_u32, 0_u32);
        while at < bytes.len() {
            let start = at;
            let stop = match (slow, quote) {
                (true, _) => Some(start),
                (false, Some(quote)) => memchr2(quote, b'\n', &bytes[start..]).map(|found| start + found),
                (false, None) => memchr(b'\n', &bytes[start..]).map(|found| start + found),
            };
            let simple = stop.is_none_or(|stop| !slow && bytes[stop] == b'\n');
            let comment = self.dialect.comment.is_some() && bytes.get(start) == self.dialect.comment.as_ref();
            let (end, next, flaw) = if comment {
                let end = memchr2(b'\n', b'\r', &bytes[start..]).map_or(bytes.len(), |found| start + found);
                (end, end + usize::from(end < bytes.len()) + usize::from(bytes[end..].starts_with(b"\r\n")), None)
            } else if simple {
                let end = stop.unwrap_or(bytes.len());
                let next = if end < bytes.len() { end + 1 } else { end };
                (if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end }, next, None)
            } else {
                self.fields.clear();
                let lexed = lex::record(&self.dialect, bytes, start, &mut self.fields);
                (lexed.end, lexed.next, lexed.flaw)
            };
            at = next;
            let first_line = line;
            line += if simple { u32::from(next > end) } else { lex::line_ends(&bytes[start..next]) as u32 };
            if comment || (end == start && columns.len() != 1) {
                continue;
            }
            let record = match text {
                Some(text) => Ok(&text[start..end]),
                None => std::str::from_utf8(&bytes[start..end]),
            };
            let values = plan.room(arena);
            let outcome = match record {
                Err(error) => Err(Fault {
                    code: &FORMAT_ENCODING,
                    cause: "a byte is not UTF-8: say which encoding the file has, for example `encoding: windows-1252`"
                        .into(),
                    field: None,
                    byte: start + error.valid_up_to(),
                }),
                Ok(record) if simple => self.plain(record, &plan, values, arena),
                Ok(record) => self.lexed(record, start, flaw, &plan, values, arena),
            };
            let go_on = match outcome {
                Ok(()) => {
                    let slots = plan.finish(values, columns, arena);
                    rows.row(Row { slots, raw: &bytes[start..end], index, line: first_line })
                }
                Err(fault) => {
                    // The fast way knows bytes from the record's start.
                    let byte = if simple && !std::ptr::eq(fault.code, &FORMAT_ENCODING) {
                        start + fault.byte
                    } else {
                        fault.byte
                    };
                    rows.bad(error(&Fault { byte, ..fault }, columns, bytes, (start, end), first_line, index))
                }
            };
            index += 1;
            if !go_on {
                break;
            }
        }
        Ok(())
    }
}

impl CsvDecoder {
    /// A record without quotes.
    #[inline]
    fn plain<'a>(
        &mut self,
        record: &'a str,
        plan: &Plan<'_>,
        values: &mut [Value<'a>],
        arena: &'a Arena,
    ) -> Result<(), Fault> {
        let count = delimiters(self.dialect.delimiter, record.as_bytes(), &mut self.ends) + 1;
        if let Some(last) = self.ends.get_mut(count - 1) {
            *last = record.len() as u32;
        }
        for want in &plan.wants {
            if want.column >= count {
                break;
            }
            let from = want.column.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1);
            let text = &record[from..self.ends[want.column] as usize];
            if want.plain {
                values[want.slot] = if text.is_empty() { Value::Null } else { Value::String(text) };
                continue;
            }
            values[want.slot] = match self.value(text, false, &want.kind, arena) {
                Ok(value) => value,
                Err(cause) => {
                    return Err(Fault { code: &FIELD_TYPE, cause: cause.into(), field: Some(want.column), byte: from });
                }
            };
        }
        if count != plan.columns.len() {
            return self.ragged(count, plan, record.len());
        }
        Ok(())
    }

    /// A record whose fields the lexer found; `start` is its byte in the part.
    fn lexed<'a>(
        &self,
        record: &'a str,
        start: usize,
        flaw: Option<Flaw>,
        plan: &Plan<'_>,
        values: &mut [Value<'a>],
        arena: &'a Arena,
    ) -> Result<(), Fault> {
        if let Some(flaw) = flaw {
            let (byte, cause) = match flaw {
                Flaw::Open(byte) => (byte, "open quote: it is not closed before the end"),
                Flaw::After(byte) => (byte, "text stands after a closing quote"),
            };
            return Err(Fault { code: &CSV_QUOTE, cause: cause.into(), field: None, byte });
        }
        for want in &plan.wants {
            let Some(span) = self.fields.get(want.column) else { break };
            let raw = &record[span.start - start..span.end - start];
            let text = if span.escaped {
                let mut plain = bumpalo::collections::String::with_capacity_in(raw.len(), arena);
                lex::unescape(&self.dialect, raw, |piece| plain.push_str(piece));
                plain.into_bump_str()
            } else {
                raw
            };
            values[want.slot] = self.value(text, span.quoted, &want.kind, arena).map_err(|cause| Fault {
                code: &FIELD_TYPE,
                cause: cause.into(),
                field: Some(want.column),
                byte: span.start,
            })?;
        }
        if self.fields.len() != plan.columns.len() {
            return self.ragged(self.fields.len(), plan, start + record.len());
        }
        Ok(())
    }

    #[inline]
    fn value<'a>(&self, text: &'a str, quoted: bool, kind: &Type, arena: &'a Arena) -> Result<Value<'a>, &'static str> {
        let mut text = text;
        if !quoted {
            if self.dialect.trim {
                text = text.trim_matches([' ', '\t']);
            }
            if text.len() == self.dialect.null_text.len() && text == self.dialect.null_text {
                return Ok(Value::Null);
            }
        }
        if matches!(kind, Type::Dyn | Type::String) {
            return Ok(Value::String(text));
        }
        if self.dialect.decimal_comma && matches!(kind, Type::Decimal | Type::Double) {
            if text.contains('.') {
                return Err("has a point, where a comma stands before the decimals (`decimal_comma`)");
            }
            if let Some((whole, part)) = text.split_once(',') {
                let mut point = bumpalo::collections::String::with_capacity_in(text.len(), arena);
                point.push_str(whole);
                point.push('.');
                point.push_str(part);
                text = point.into_bump_str();
            }
        }
        typed::from_text(text, kind, arena)
    }

    #[cold]
    fn ragged(&self, found: usize, plan: &Plan<'_>, byte: usize) -> Result<(), Fault> {
        let wanted = plan.columns.len();
        if self.dialect.pad && found < wanted {
            return Ok(());
        }
        let cause = format!("the row has {found} fields, the header {wanted}");
        Err(Fault { code: &CSV_RAGGED, cause, field: None, byte })
    }
}

/// Counts the delimiters of a row and notes where they stand, as far as there is room: eight
/// bytes at a time, since fields are too short for a search each.
#[inline]
fn delimiters(delimiter: u8, row: &[u8], ends: &mut [u32]) -> usize {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let pattern = u64::from(delimiter) * 0x0101_0101_0101_0101;
    let mut count = 0;
    let mut note = |word: [u8; 8], base: usize| {
        // The high bit of each byte that equals the delimiter, exactly.
        let other = u64::from_le_bytes(word) ^ pattern;
        let mut hits = !(((other & LOW) + LOW) | other | LOW);
        while hits != 0 {
            if let Some(end) = ends.get_mut(count) {
                *end = base as u32 + hits.trailing_zeros() / 8;
            }
            count += 1;
            hits &= hits - 1;
        }
    };
    let (words, rest) = row.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        note(*word, index * 8);
    }
    if !rest.is_empty() {
        // NUL is no delimiter.
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        note(last, words.len() * 8);
    }
    count
}

#[cold]
fn error(
    fault: &Fault,
    columns: &[String],
    bytes: &[u8],
    (start, end): (usize, usize),
    first_line: u32,
    index: u32,
) -> RecordError {
    let before = &bytes[start..fault.byte];
    let line_start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
    let field = fault.field.and_then(|column| columns.get(column)).cloned();
    RecordError {
        code: fault.code,
        cause: match &field {
            Some(name) => format!("the field `{name}` {}", fault.cause),
            None => fault.cause.clone(),
        },
        field,
        index,
        line: first_line + lex::line_ends(before) as u32,
        column: characters(&before[line_start..]) as u32 + 1,
        byte: fault.byte,
        start,
        end,
    }
}
