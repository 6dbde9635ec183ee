//! The middle of the road: one part in, one [`Done`] out. A pure function over one part, run by
//! one worker thread: decode, map, encode. Nothing here knows what comes before or after.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::connect::{Batch, Decoder, Encoder, Part, RecordError, Rows};
use crate::error::Result;
use crate::map::{Route, Verdict};
use crate::record::{Arena, Position, Reject, Row, SliceId, Timestamp, Totals, Value};

/// What a worker made of a part.
pub struct Done {
    /// The slice it belongs to.
    pub slice: SliceId,
    /// Where to resume once it is settled; `record` counts from the part's beginning.
    pub end: Position,
    /// Whether the slice ends here.
    pub last_of_slice: bool,
    /// The encoded target records.
    pub batch: Batch,
    /// BLAKE3 of the encoded bytes.
    pub digest: [u8; 32],
    /// The counts; `written` is not known yet.
    pub totals: Totals,
    /// Records that did not make it; `record` counts from the part's beginning.
    pub rejects: Vec<Reject>,
}

/// One worker: its decoder, its encoder and its scratch space.
pub struct Middle {
    route: Arc<Route>,
    decoder: Box<dyn Decoder>,
    encoder: Box<dyn Encoder>,
    /// [`crate::connect::Frame::between`] of the target.
    between: Arc<[u8]>,
    /// The run's fixed time.
    now: Timestamp,
    arena: Arena,
    /// How many more records are wanted; `None`: all.
    wanted: Option<u64>,
}

impl Middle {
    /// A worker for this route.
    pub fn new(
        route: Arc<Route>,
        decoder: Box<dyn Decoder>,
        encoder: Box<dyn Encoder>,
        between: Arc<[u8]>,
        now: Timestamp,
    ) -> Self {
        Self { route, decoder, encoder, between, now, arena: Arena::new(), wanted: None }
    }

    /// Stops after so many records.
    pub fn limited(mut self, wanted: Option<u64>) -> Self {
        self.wanted = wanted;
        self
    }

    /// Does the work on one part.
    ///
    /// # Errors
    /// If the part as a whole cannot be read.
    pub fn work(&mut self, part: &Part) -> Result<Done> {
        self.arena.reset();
        let mut rows = Mapped {
            route: &self.route,
            encoder: self.encoder.as_mut(),
            between: &self.between,
            now: self.now,
            arena: &self.arena,
            part,
            values: Vec::with_capacity(self.route.columns.len()),
            batch: Batch { bytes: Vec::with_capacity(part.bytes.len() * 2), records: 0, ..Batch::default() },
            totals: Totals { bytes_read: part.bytes.len() as u64, ..Totals::default() },
            rejects: Vec::new(),
            wanted: self.wanted.unwrap_or(u64::MAX),
            keys: (!self.route.key.is_empty()).then(Keys::default),
        };
        self.decoder.decode(part, &self.route.projection, &self.arena, &mut rows)?;
        let Mapped { mut batch, mut totals, rejects, keys, .. } = rows;
        self.wanted = self.wanted.map(|wanted| wanted - totals.read);
        if let Some(keys) = keys {
            totals.superseded = keys.drop_superseded(&mut batch.bytes, self.between.len());
            batch.records -= totals.superseded;
        }
        totals.produced = batch.records;
        totals.bytes_written = batch.bytes.len() as u64;
        let digest = *blake3::hash(&batch.bytes).as_bytes();
        let end = Position { record: totals.read, ..part.end.clone() };
        Ok(Done { slice: part.slice.clone(), end, last_of_slice: part.last_of_slice, batch, digest, totals, rejects })
    }
}

/// Receives the rows of one part.
struct Mapped<'w, 'a> {
    route: &'a Route,
    encoder: &'w mut dyn Encoder,
    between: &'w [u8],
    now: Timestamp,
    arena: &'a Arena,
    part: &'a Part,
    values: Vec<Value<'a>>,
    batch: Batch,
    totals: Totals,
    rejects: Vec<Reject>,
    /// How many records are still wanted.
    wanted: u64,
    keys: Option<Keys<'a>>,
}

impl<'a> Rows<'a> for Mapped<'_, 'a> {
    fn row(&mut self, row: Row<'a>) -> bool {
        if self.totals.read == self.wanted {
            return false;
        }
        self.totals.read += 1;
        match self.route.apply(&row, self.arena, self.now, &mut self.values) {
            Verdict::Mapped => self.encode(&row),
            Verdict::Filtered => self.totals.filtered += 1,
            Verdict::Rejected(fault) => {
                self.reject(&row, fault.code.id, fault.cause, fault.field);
            }
        }
        true
    }

    fn bad(&mut self, error: RecordError) -> bool {
        if self.totals.read == self.wanted {
            return false;
        }
        self.totals.read += 1;
        self.totals.rejected += 1;
        let payload = self.part.bytes.get(error.start..error.end).unwrap_or_default();
        self.rejects.push(Reject {
            code: error.code.id,
            cause: error.cause,
            field: error.field,
            source: self.part.name.to_string(),
            slice: self.part.slice.to_string(),
            byte: self.part.start.byte + error.byte as u64,
            line: self.part.start.line + u64::from(error.line) + 1,
            record: u64::from(error.index) + 1,
            column: error.column,
            payload: payload.to_vec(),
            columns: self.part.header.columns.clone(),
            classes: self.route.payload_classes,
        });
        true
    }
}

impl<'a> Mapped<'_, 'a> {
    fn encode(&mut self, row: &Row<'a>) {
        let start = self.batch.bytes.len();
        if start > 0 {
            self.batch.bytes.extend_from_slice(self.between);
        }
        match self.encoder.encode(&self.values, &mut self.batch.bytes) {
            Ok(()) => {
                self.totals.mapped += 1;
                self.batch.records += 1;
                if let Some(keys) = &mut self.keys {
                    keys.saw(&self.route.key, &self.values, self.arena, start..self.batch.bytes.len());
                }
            }
            Err(error) => {
                self.batch.bytes.truncate(start);
                let field = self.route.columns.get(error.column).map(|c| c.path.to_string());
                self.reject(row, error.code.id, error.cause, field);
            }
        }
    }

    fn reject(&mut self, row: &Row<'a>, code: &'static str, cause: String, field: Option<String>) {
        self.totals.rejected += 1;
        // The raw bytes are a slice of the part's: their place in it is their address.
        let offset = (row.raw.as_ptr() as usize).saturating_sub(self.part.bytes.as_ptr() as usize);
        self.rejects.push(Reject {
            code,
            cause,
            field,
            source: self.part.name.to_string(),
            slice: self.part.slice.to_string(),
            byte: self.part.start.byte + offset as u64,
            line: self.part.start.line + u64::from(row.line) + 1,
            record: u64::from(row.index) + 1,
            column: 0,
            payload: row.raw.to_vec(),
            columns: self.part.header.columns.clone(),
            classes: self.route.payload_classes,
        });
    }
}

/// The keys seen in one part: of two records with one key the last wins.
#[derive(Default)]
struct Keys<'a> {
    seen: HashMap<&'a [u8], std::ops::Range<usize>>,
    superseded: Vec<std::ops::Range<usize>>,
    scratch: Vec<u8>,
}

impl<'a> Keys<'a> {
    fn saw(&mut self, key: &[usize], values: &[Value<'a>], arena: &'a Arena, bytes: std::ops::Range<usize>) {
        // A key of one text field is that text: nothing is copied. Others get their canonical
        // text, each part ended by a byte that UTF-8 does not have.
        let identity: &'a [u8] = match key {
            [one] if let Some(Value::String(text)) = values.get(*one) => text.as_bytes(),
            _ => {
                self.scratch.clear();
                for index in key {
                    if let Some(value) = values.get(*index) {
                        crate::record::shown::write(value, false, &mut self.scratch);
                    }
                    self.scratch.push(0xff);
                }
                arena.alloc_slice_copy(&self.scratch)
            }
        };
        match self.seen.entry(identity) {
            Entry::Vacant(entry) => {
                entry.insert(bytes);
            }
            Entry::Occupied(mut entry) => self.superseded.push(entry.insert(bytes)),
        }
    }

    /// Takes the superseded records out of the batch; says how many. `between` is the length of
    /// what separates two records.
    fn drop_superseded(mut self, bytes: &mut Vec<u8>, between: usize) -> u64 {
        if self.superseded.is_empty() {
            return 0;
        }
        self.superseded.sort_by_key(|range| range.start);
        let mut kept = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for range in &self.superseded {
            kept.extend_from_slice(&bytes[from..range.start]);
            from = range.end;
        }
        kept.extend_from_slice(&bytes[from..]);
        // A record's range begins with what separates it from the one before: without the first
        // record that is left over.
        if self.superseded[0].start == 0 {
            kept.drain(..between);
        }
        *bytes = kept;
        self.superseded.len() as u64
    }
}
