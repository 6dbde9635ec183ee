//! The compact form of one row inside a part: a record is its length and its cells, a cell is a
//! tag and what the tag says follows. Text and bytes stand there as they came, so that values
//! borrow from the part.
//!
//! A record: four bytes, little endian: how many bytes of cells follow; then one cell per column.
//!
//! | tag | follows |
//! |---|---|
//! | `0` | nothing: null |
//! | `1`, `2` | nothing: false, true |
//! | `3` | eight bytes, little endian: an integer |
//! | `4` | eight bytes, little endian: a binary floating-point number |
//! | `5` | eight bytes of seconds since 1970, four of nanoseconds, four of the offset in seconds: a moment |
//! | `6` | four bytes: days since 1970: a date |
//! | `7`, `8`, `9`, `10` | four bytes of length and the bytes: exact number as text, text, raw bytes, JSON |
//! | `11` | four bytes of length, and cells: a list |
//! | `0x40..0x80` | an exact number of `tag - 0x40` bytes of text |
//! | `0x80..=0xff` | text of `tag - 0x80` bytes |
//!
//! The form is kept in dead letters: tags are only ever added.

use crate::record::{Date, Timestamp};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const DOUBLE: u8 = 4;
const TIMESTAMP: u8 = 5;
const DATE: u8 = 6;
const DECIMAL: u8 = 7;
const TEXT: u8 = 8;
const BYTES: u8 = 9;
const JSON: u8 = 10;
const LIST: u8 = 11;
const SHORT_DECIMAL: u8 = 0x40;
const SHORT_TEXT: u8 = 0x80;

/// Most lists within each other.
pub(super) const MAX_DEPTH: usize = 64;

/// One cell, as it stands in a part. Text was not looked at yet: it may be no UTF-8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'b> {
    /// Null.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A binary floating-point number.
    Double(f64),
    /// A moment.
    Timestamp(Timestamp),
    /// A date.
    Date(Date),
    /// An exact number in the grammar of JSON.
    Decimal(&'b [u8]),
    /// Text.
    Text(&'b [u8]),
    /// Raw bytes.
    Bytes(&'b [u8]),
    /// A JSON text.
    Json(&'b [u8]),
    /// The cells of a list.
    List(&'b [u8]),
}

impl<'b> Cell<'b> {
    /// Takes the next cell off the bytes; `None` if they are not what [`RowWriter`] writes.
    #[inline]
    pub fn take(bytes: &mut &'b [u8]) -> Option<Self> {
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
            FALSE | TRUE => (Cell::Bool(*tag == TRUE), rest),
            INT => {
                let (number, rest) = rest.split_first_chunk::<8>()?;
                (Cell::Int(i64::from_le_bytes(*number)), rest)
            }
            DOUBLE => {
                let (number, rest) = rest.split_first_chunk::<8>()?;
                (Cell::Double(f64::from_le_bytes(*number)), rest)
            }
            TIMESTAMP => {
                let (seconds, rest) = rest.split_first_chunk::<8>()?;
                let (nanos, rest) = rest.split_first_chunk::<4>()?;
                let (offset, rest) = rest.split_first_chunk::<4>()?;
                let moment = Timestamp::new(i64::from_le_bytes(*seconds), u32::from_le_bytes(*nanos))?;
                let offset = i32::from_le_bytes(*offset);
                // As far as an RFC 3339 offset goes.
                if offset.unsigned_abs() >= 86_400 {
                    return None;
                }
                (Cell::Timestamp(Timestamp { offset, ..moment }), rest)
            }
            DATE => {
                let (days, rest) = rest.split_first_chunk::<4>()?;
                let days = i32::from_le_bytes(*days);
                // The years 1 to 9999.
                if !(-719_162..=2_932_896).contains(&days) {
                    return None;
                }
                (Cell::Date(Date { days }), rest)
            }
            tag @ (DECIMAL | TEXT | BYTES | JSON | LIST) => {
                let (length, rest) = rest.split_first_chunk::<4>()?;
                let (content, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                let cell = match tag {
                    DECIMAL => Cell::Decimal(content),
                    TEXT => Cell::Text(content),
                    BYTES => Cell::Bytes(content),
                    JSON => Cell::Json(content),
                    _ => Cell::List(content),
                };
                (cell, rest)
            }
            _ => return None,
        };
        *bytes = rest;
        Some(cell)
    }
}

/// Takes the next record off the bytes of a part: its cells, and how many bytes it has in all.
/// `None` if no whole record is left.
#[inline]
pub(super) fn take_record(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    Some((rest.get(..length)?, length + 4))
}

/// Writes rows, cell by cell, in the order of the columns.
#[derive(Debug, Default)]
pub struct RowWriter {
    bytes: Vec<u8>,
    /// Where the record in hand begins.
    start: usize,
    /// Where each of its cells begins.
    cells: Vec<usize>,
    /// The lists that are open: where the length of each stands.
    open: Vec<usize>,
}

impl RowWriter {
    /// Begins a record.
    pub(super) fn begin(&mut self) {
        self.start = self.bytes.len();
        self.cells.clear();
        self.open.clear();
        self.bytes.extend_from_slice(&[0; 4]);
    }

    /// Ends the record: how many cells it has; `None` if it is too large for its length.
    pub(super) fn finish(&mut self) -> Option<usize> {
        let length = u32::try_from(self.bytes.len() - self.start - 4).ok()?;
        self.bytes[self.start..self.start + 4].copy_from_slice(&length.to_le_bytes());
        Some(self.cells.len())
    }

    /// Takes the record in hand back.
    pub(super) fn drop_record(&mut self) {
        self.bytes.truncate(self.start);
        self.cells.clear();
    }

    /// The bytes of one cell of the record in hand, by the index of its column.
    #[inline]
    pub(super) fn cell(&self, column: usize) -> &[u8] {
        let Some(start) = self.cells.get(column) else { return &[] };
        let end = self.cells.get(column + 1).copied().unwrap_or(self.bytes.len());
        &self.bytes[*start..end]
    }

    /// Bytes of all records so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Everything that was written.
    pub(super) fn written(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes everything that was written.
    pub(super) fn take(&mut self, room: usize) -> Vec<u8> {
        self.start = 0;
        self.cells.clear();
        std::mem::replace(&mut self.bytes, Vec::with_capacity(room))
    }

    #[inline]
    fn cell_begins(&mut self) {
        if self.open.is_empty() {
            self.cells.push(self.bytes.len());
        }
    }

    /// Null.
    #[inline]
    pub fn null(&mut self) {
        self.cell_begins();
        self.bytes.push(NULL);
    }

    /// A truth value.
    #[inline]
    pub fn bool(&mut self, truth: bool) {
        self.cell_begins();
        self.bytes.push(if truth { TRUE } else { FALSE });
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, number: i64) {
        self.cell_begins();
        self.bytes.push(INT);
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// A binary floating-point number.
    #[inline]
    pub fn double(&mut self, number: f64) {
        self.cell_begins();
        self.bytes.push(DOUBLE);
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// A moment.
    #[inline]
    pub fn timestamp(&mut self, moment: Timestamp) {
        self.cell_begins();
        self.bytes.push(TIMESTAMP);
        self.bytes.extend_from_slice(&moment.seconds.to_le_bytes());
        self.bytes.extend_from_slice(&moment.nanos.to_le_bytes());
        self.bytes.extend_from_slice(&moment.offset.to_le_bytes());
    }

    /// A date.
    #[inline]
    pub fn date(&mut self, date: Date) {
        self.cell_begins();
        self.bytes.push(DATE);
        self.bytes.extend_from_slice(&date.days.to_le_bytes());
    }

    /// An exact number: its text in the grammar of JSON (RFC 8259, section 6).
    #[inline]
    pub fn decimal(&mut self, text: &str) {
        self.cell_begins();
        match u8::try_from(text.len()) {
            Ok(length) if length < SHORT_TEXT - SHORT_DECIMAL => self.bytes.push(SHORT_DECIMAL + length),
            _ => self.head(DECIMAL, text.len()),
        }
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Text. What is no UTF-8 rejects the record when it is read.
    #[inline]
    pub fn text(&mut self, text: &[u8]) {
        self.cell_begins();
        match u8::try_from(text.len()) {
            Ok(length) if length < SHORT_TEXT => self.bytes.push(SHORT_TEXT + length),
            _ => self.head(TEXT, text.len()),
        }
        self.bytes.extend_from_slice(text);
    }

    /// Raw bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.cell_begins();
        self.head(BYTES, bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// A JSON text. What is no JSON rejects the record when somebody asks for it.
    #[inline]
    pub fn json(&mut self, text: &[u8]) {
        self.cell_begins();
        self.head(JSON, text.len());
        self.bytes.extend_from_slice(text);
    }

    /// Begins a list: what is written until [`RowWriter::end_list`] is in it. Lists may hold lists.
    pub fn begin_list(&mut self) {
        self.cell_begins();
        self.head(LIST, 0);
        self.open.push(self.bytes.len());
    }

    /// Ends the innermost list.
    pub fn end_list(&mut self) {
        if let Some(start) = self.open.pop() {
            let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
            self.bytes[start - 4..start].copy_from_slice(&length.to_le_bytes());
        }
    }

    fn head(&mut self, tag: u8, length: usize) {
        self.bytes.push(tag);
        // A record of 4 GiB is refused as a whole when it ends.
        self.bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }
}
