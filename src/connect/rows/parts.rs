//! From rows in a database's order to parts: drops what was read before, cuts, and says where each
//! part ends.

use std::collections::HashSet;
use std::sync::Arc;

use super::bookmark::{Bookmark, MOST_SEEN, Way, fingerprint};
use super::cells::{Cell, RowWriter};
use super::key::{Key, KeyKind, same};
use crate::connect::{Header, PART_BYTES, Part};
use crate::error::codes::connect::{CURSOR_CHANGED, CURSOR_MISSED, CURSOR_NULL, CURSOR_UNFIT, RECORD_TOO_LARGE};
use crate::error::codes::sync::DOUBT;
use crate::error::{Error, Kind, Result};
use crate::record::{Position, SliceId};

/// Takes the rows of one run, in the order they come, and gives parts. Made by
/// [`Scan::parts`](super::Scan::parts).
#[derive(Debug)]
pub struct Parts {
    pub(super) slice: SliceId,
    pub(super) header: Arc<Header>,
    pub(super) writer: RowWriter,
    pub(super) sequence: u64,
    /// Where the next part begins.
    pub(super) start: Position,
    /// Rows in the part in hand.
    pub(super) rows: u64,
    /// The bookmark as of the last part.
    pub(super) bookmark: Bookmark,
    /// Index of the cursor's column.
    pub(super) cursor: Option<usize>,
    pub(super) kind: Option<KeyKind>,
    /// Indices of the tie columns.
    pub(super) tie: Vec<usize>,
    /// The value whose records were read in part, as a cell, and which of them.
    pub(super) known: Option<(Vec<u8>, HashSet<u64>)>,
    /// A group that is read again: its last value as a cell, which of those records are in it, and
    /// the bookmark that must come out.
    pub(super) until: Option<Until>,
    /// For [`Way::Unsorted`]: the end of the run, which becomes the position when all was read.
    pub(super) bound: Option<(Key, Vec<u8>)>,
    /// Whether cursor and tie tell every record from every other.
    pub(super) exact: bool,
    /// Positions stay where they are (`--since`, `--until`).
    pub(super) still: bool,
    pub(super) group: Group,
    /// The last part was handed out.
    pub(super) ended: bool,
    /// Tie bytes of the row in hand.
    pub(super) scratch: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Until {
    pub(super) cell: Vec<u8>,
    pub(super) seen: Option<HashSet<u64>>,
    pub(super) bookmark: Bookmark,
}

/// The records with the last cursor value.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// The value, as a cell.
    pub(super) cell: Vec<u8>,
    pub(super) count: u64,
    pub(super) seen: Vec<u64>,
    /// Tie bytes that were not hashed yet, and where each ends: most groups are over before
    /// anybody asks.
    ties: Vec<u8>,
    ends: Vec<usize>,
    /// Tie bytes of the last record.
    last: Vec<u8>,
}

impl Group {
    fn begin(&mut self, cell: &[u8]) {
        self.cell.clear();
        self.cell.extend_from_slice(cell);
        self.count = 0;
        self.seen.clear();
        self.ties.clear();
        self.ends.clear();
        self.last.clear();
    }

    fn add(&mut self, tie: &[u8]) {
        self.count += 1;
        self.last.clear();
        self.last.extend_from_slice(tie);
        if self.seen.len() + self.ends.len() < MOST_SEEN {
            self.ties.extend_from_slice(tie);
            self.ends.push(self.ties.len());
        }
    }

    fn hashed(&mut self) -> &[u64] {
        let mut start = 0;
        for end in self.ends.drain(..) {
            self.seen.push(fingerprint(&self.ties[start..end]));
            start = end;
        }
        self.ties.clear();
        &self.seen
    }
}

impl Parts {
    /// Begins a row: write one cell for each column, in their order.
    #[inline]
    pub fn row(&mut self) -> &mut RowWriter {
        self.writer.begin();
        &mut self.writer
    }

    /// Ends the row; a part, if one is full.
    ///
    /// # Errors
    /// A row that is not what the position relies on: a null or a value of another type in the
    /// cursor or tie columns, two rows that the tie does not tell apart.
    #[inline]
    pub fn end_row(&mut self) -> Result<Option<Part>> {
        match self.writer.finish() {
            Some(cells) if cells == self.header.columns.len() => {}
            Some(cells) => {
                return Err(Error::bug(format!("a row has {cells} cells for {} columns", self.header.columns.len())));
            }
            None => return Err(Error::new(Kind::Failed, &RECORD_TOO_LARGE, "a record is larger than 4 GiB")),
        }
        if self.takes()? {
            self.rows += 1;
        } else {
            self.writer.drop_record();
        }
        if self.writer.len() >= PART_BYTES { self.cut(false).map(Some) } else { Ok(None) }
    }

    /// The last part; `None` if nothing is left to say. To be called once, after the last row.
    ///
    /// # Errors
    /// A group that was read again is not what it was.
    pub fn end(&mut self) -> Result<Option<Part>> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        if let Some(Until { bookmark, .. }) = &self.until {
            let wanted = bookmark.chain;
            let found = chained(self.bookmark.chain, self.writer.written());
            if found != wanted {
                return Err(doubt("records of the group in doubt were changed, added or deleted since it was read"));
            }
        }
        // Nothing new, and nothing to remember of it.
        if self.rows == 0 && self.sequence == 0 {
            return Ok(None);
        }
        self.cut(true).map(Some)
    }

    /// Looks at the cells of the row in hand: whether it is wanted.
    #[inline]
    fn takes(&mut self) -> Result<bool> {
        if matches!(self.bookmark.way, Way::Whole) && self.cursor.is_none() {
            return Ok(true);
        }
        self.scratch.clear();
        for column in &self.tie {
            let cell = self.writer.cell(*column);
            if cell == [0] {
                return Err(self.no_value(*column));
            }
            self.scratch.extend_from_slice(cell);
        }
        let Some(column) = self.cursor else {
            self.group.add(&self.scratch);
            return Ok(true);
        };
        let cell = self.writer.cell(column);
        let kind = Cell::take(&mut &*cell).and_then(KeyKind::of);
        if kind != self.kind && !kind.zip(self.kind).is_some_and(|(one, other)| one.goes_with(other)) {
            return Err(match kind {
                None => self.no_value(column),
                Some(kind) => self.another_type(column, kind),
            });
        }
        if self.still {
            return Ok(true);
        }
        if let Some((value, seen)) = &self.known {
            if same(value, cell) {
                if seen.contains(&fingerprint(&self.scratch)) {
                    return Ok(false);
                }
            } else if self.bookmark.way == Way::Sorted {
                self.known = None;
            }
        }
        if let Some(Until { cell: last, seen: Some(seen), .. }) = &self.until
            && same(last, cell)
            && !seen.contains(&fingerprint(&self.scratch))
        {
            return Ok(false);
        }
        match &self.bound {
            Some((_, bound)) => {
                if same(bound, cell) {
                    self.group.add(&self.scratch);
                }
            }
            None => {
                if !same(&self.group.cell, cell) {
                    self.group.begin(cell);
                } else if self.exact && self.group.count > 0 && self.group.last == self.scratch {
                    return Err(self.not_told_apart());
                }
                self.group.add(&self.scratch);
            }
        }
        Ok(true)
    }

    /// Cuts the part in hand.
    fn cut(&mut self, last: bool) -> Result<Part> {
        let room = if last { 0 } else { PART_BYTES + PART_BYTES / 16 };
        let bytes = self.writer.take(room);
        self.bookmark.chain = chained(self.bookmark.chain, &bytes);
        match (&self.bound, self.bookmark.way) {
            _ if self.still => {}
            // Rows come in any order: until all of them are there, the run stands where it began.
            (Some((bound, _)), _) if last => {
                self.bookmark.at = Some(bound.clone());
                self.bookmark.given = None;
                self.remember();
            }
            (None, Way::Sorted) if self.group.count > 0 => {
                let cell = &self.group.cell;
                self.bookmark.at = Cell::take(&mut cell.as_slice()).and_then(Key::of);
                if self.bookmark.at.is_none() {
                    return Err(self.no_text());
                }
                self.bookmark.given = None;
                self.remember();
            }
            (None, Way::Once) if self.group.count > 0 => {
                self.bookmark.key = self.last_key()?;
                self.bookmark.count = self.group.count;
            }
            _ => {}
        }
        let start = self.start.clone();
        self.start.byte += bytes.len() as u64;
        self.start.line += std::mem::take(&mut self.rows);
        self.start.extra = self.bookmark.extra();
        let sequence = self.sequence;
        self.sequence += 1;
        Ok(Part {
            sequence,
            slice: self.slice.clone(),
            name: self.slice.clone(),
            header: self.header.clone(),
            bytes,
            start,
            end: self.start.clone(),
            last_of_slice: last,
        })
    }

    /// Puts the records with the last cursor value into the bookmark.
    fn remember(&mut self) {
        self.bookmark.count = self.group.count;
        self.bookmark.seen.clear();
        self.bookmark.key.clear();
        if !self.exact {
            self.bookmark.count = 0;
            return;
        }
        let whole = self.group.hashed().len() as u64 == self.group.count;
        if whole {
            self.bookmark.seen.extend_from_slice(&self.group.seen);
        } else if let Ok(key) = self.last_key() {
            self.bookmark.key = key;
        }
    }

    fn last_key(&self) -> Result<Vec<Key>> {
        let mut cells = self.group.last.as_slice();
        self.tie.iter().map(|_| Cell::take(&mut cells).and_then(Key::of).ok_or_else(|| self.no_text())).collect()
    }

    fn name(&self, column: usize) -> &str {
        self.header.columns.get(column).map_or("?", String::as_str)
    }

    #[cold]
    fn no_text(&self) -> Error {
        Error::new(
            Kind::Failed,
            &CURSOR_UNFIT,
            "a value of the cursor or tie columns is not UTF-8, and cannot be remembered",
        )
        .fact("table", &*self.slice)
    }

    #[cold]
    fn no_value(&self, column: usize) -> Error {
        let cause = format!("a record has no value in `{}`, which the order of reading needs", self.name(column));
        Error::new(Kind::Failed, &CURSOR_NULL, cause)
            .fact("table", &*self.slice)
            .hint("fill the column, or leave such records out: `without_cursor: skip`")
    }

    #[cold]
    fn another_type(&self, column: usize, kind: KeyKind) -> Error {
        let wanted = self.kind.map_or("?", KeyKind::name);
        let cause = format!("`{}` holds values of type {} and of type {wanted}", self.name(column), kind.name());
        Error::new(Kind::Failed, &CURSOR_CHANGED, cause)
            .fact("table", &*self.slice)
            .hint("values of two types have no order that is that of their arrival: make them one type")
    }

    #[cold]
    fn not_told_apart(&self) -> Error {
        let ties: Vec<String> = self.tie.iter().map(|column| format!("`{}`", self.name(*column))).collect();
        Error::new(
            Kind::Failed,
            &CURSOR_MISSED,
            format!("two records have the same cursor value and the same {}", ties.join(", ")),
        )
        .fact("table", &*self.slice)
        .hint("name columns under `tie` that no two records share")
    }
}

/// An error that says that a group cannot be read again as it was.
pub(super) fn doubt(cause: &str) -> Error {
    Error::new(Kind::Partial, &DOUBT, cause)
}

/// The hash over everything read, one part further.
fn chained(before: [u8; 16], bytes: &[u8]) -> [u8; 16] {
    if bytes.is_empty() {
        return before;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&before);
    hasher.update(bytes);
    let mut chain = [0; 16];
    chain.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    chain
}
