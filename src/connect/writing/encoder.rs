//! From target values to what a request holds of a record, made by the workers: its fields, and the
//! element that stands for it in a batch. The sink only cuts and joins.
//!
//! An encoded record is its length, the hash of its key, the lengths of its record and fields, then
//! record, fields and element as text. Where the record is the same as the fields, or the element is,
//! it stands once. A batch ends with where each of its records begins, and how many they are: the sink's thread,
//! to whose processor they are new, would wait for each length before it could ask for the next.

use std::sync::{Arc, OnceLock};

use siphasher::sip128::{Hasher128 as _, SipHasher24};
use std::hash::Hasher as _;

use super::shape::{Layout, Node, csv};
use crate::config::Mode;
use crate::connect::pack::batch::Form;
use crate::connect::pack::write::{Names, Style, Way};
use crate::connect::pack::{Given, Name};
use crate::connect::{Column, EncodeError, Encoder};
use crate::error::codes::formats::FORMAT_ENCODE;
use crate::error::{Error, Result};
use crate::record::{Arena, Timestamp, Value, shown};

/// Bytes before the texts of an encoded record: its length, the key, two lengths.
pub(super) const HEAD: usize = 4 + 16 + 4 + 4;

/// The encoder of one worker.
pub(super) struct RecordEncoder {
    given: Arc<Given>,
    /// The stream's name.
    stream: String,
    style: Style,
    /// The record as the mapping names it, where something asks for more than the fields.
    record: Option<Layout>,
    fields: Layout,
    element: Option<Node>,
    /// Columns of CSV and what stands between them.
    csv: Option<(Vec<usize>, u8)>,
    /// Indices of the key; none where records have no key.
    key: Vec<usize>,
    hasher: SipHasher24,
    /// The hash of the key of the record that comes next, if it was told.
    told: Option<u128>,
    /// Where the records of the batch begin so far.
    begins: Vec<u32>,
    /// Where the last of them ends.
    end: usize,
    arena: Arena,
    scratch: Vec<u8>,
    now: Timestamp,
}

/// What stands in elements in place of a record's number until it is known: eight characters that nobody
/// can guess.
pub(super) fn number_mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut random = [0; 8];
        // Without random numbers it is a mark all the same, if not a secret one.
        let _ = getrandom::fill(&mut random);
        random.iter().map(|byte| LETTERS[usize::from(byte % 32)] as char).collect()
    })
}

/// The key that hashes of keys are made with: of this process alone.
fn secret() -> &'static [u8; 16] {
    static SECRET: OnceLock<[u8; 16]> = OnceLock::new();
    SECRET.get_or_init(|| {
        let mut random = [0; 16];
        let _ = getrandom::fill(&mut random);
        random
    })
}

impl RecordEncoder {
    /// For records with these columns, written that way.
    ///
    /// # Errors
    /// If the columns have no form there.
    pub fn new(
        given: Arc<Given>,
        stream: &str,
        way: &'static Way,
        columns: &[Column],
        key: &[usize],
        mode: Mode,
    ) -> Result<Self> {
        let fields = Layout::new(columns, &way.apart, way.style.names)?;
        let asked = way.batch.form == Form::One
            || way.find.is_some()
            || way.look_up.is_some()
            || way.element.is_some()
            || !way.batch.alike.is_empty()
            || way.outcome.items.is_some()
            || way.job.is_some();
        let differs = way.style != Style::default() || !way.apart.is_empty();
        let record = match asked && differs {
            true => Some(Layout::new(columns, &[], Names::AsIs)?),
            false => None,
        };
        let csv = (way.batch.form == Form::Csv)
            .then(|| (fields.columns().into_iter().map(|(column, _)| column).collect(), way.batch.delimiter));
        let now = jiff::Timestamp::now();
        Ok(Self {
            given,
            stream: stream.to_owned(),
            style: way.style.clone(),
            record,
            fields,
            element: way.element.as_ref().map(Node::new),
            csv,
            key: if mode == Mode::Append { Vec::new() } else { key.to_vec() },
            hasher: SipHasher24::new_with_key(secret()),
            told: None,
            begins: Vec::new(),
            end: 0,
            arena: Arena::new(),
            scratch: Vec::new(),
            now: Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond().unsigned_abs(), offset: 0 },
        })
    }

    fn hash(&mut self, values: &[Value<'_>]) -> u128 {
        if self.key.is_empty() {
            return 0;
        }
        let mut hasher = self.hasher;
        for column in &self.key {
            self.scratch.clear();
            shown::write(values.get(*column).unwrap_or(&Value::Missing), false, &mut self.scratch);
            hasher.write(&self.scratch);
            hasher.write(&[0xff]);
        }
        hasher.finish128().as_u128()
    }

    fn texts(&mut self, values: &[Value<'_>], out: &mut Vec<u8>, at: usize) -> Result<(), (usize, String)> {
        let named = |(column, cause): (usize, &'static str)| (column, format!("the value {cause}"));
        let plain = Style::default();
        let start = out.len();
        if let Some(record) = &self.record {
            record.write(values, &plain, out).map_err(named)?;
        }
        let fields_at = out.len();
        if let Some((columns, delimiter)) = &self.csv {
            // The fields are JSON for those who pair by them; the row is the element.
            self.fields.write(values, &plain, out).map_err(named)?;
            let texts = (fields_at - start, out.len() - fields_at);
            lengths(out, at, texts);
            for (place, column) in columns.iter().enumerate() {
                if place > 0 {
                    out.push(*delimiter);
                }
                let value = values.get(*column).copied().unwrap_or_default();
                csv(&value, &self.style, *delimiter, out).map_err(|cause| named((*column, cause)))?;
            }
            return Ok(());
        }
        self.fields.write(values, &self.style, out).map_err(named)?;
        let texts = (fields_at - start, out.len() - fields_at);
        lengths(out, at, texts);
        if let Some(element) = &self.element {
            self.scratch.clear();
            self.scratch.extend_from_slice(&out[fields_at..]);
            self.arena.reset();
            let arena = &self.arena;
            let layout = self.record.as_ref().unwrap_or(&self.fields);
            let scope = element.computes().then(|| {
                let stream: &[(&str, Value<'_>)] = arena.alloc_slice_copy(&[("name", Value::String(&self.stream))]);
                self.given
                    .scope(arena, self.now)
                    .with(Name::Stream, Value::Map(stream))
                    .with(Name::Record, layout.value(values, arena))
                    .with(Name::Number, Value::String(number_mark()))
            });
            element.write(&self.scratch, scope.as_ref(), out).map_err(|cause| (0, cause))?;
        }
        Ok(())
    }
}

/// Fills in the lengths of record and fields.
fn lengths(out: &mut [u8], at: usize, (record, fields): (usize, usize)) {
    for (place, length) in [(at + 20, record), (at + 24, fields)] {
        if let Some(hole) = out.get_mut(place..place + 4) {
            hole.copy_from_slice(&(length as u32).to_le_bytes());
        }
    }
}

impl Encoder for RecordEncoder {
    fn encode(&mut self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let at = out.len();
        let key = self.told.take().unwrap_or_else(|| self.hash(values));
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&key.to_le_bytes());
        out.extend_from_slice(&[0; 8]);
        if let Err((column, cause)) = self.texts(values, out, at) {
            out.truncate(at);
            return Err(EncodeError { code: &FORMAT_ENCODE, column, cause });
        }
        let length = (out.len() - at - 4) as u32;
        out[at..at + 4].copy_from_slice(&length.to_le_bytes());
        // What was taken back since is no longer there.
        while self.begins.last().is_some_and(|begin| *begin as usize >= at) {
            self.begins.pop();
        }
        self.begins.push(at as u32);
        self.end = out.len();
        Ok(())
    }

    fn key_of_next(&mut self, key: u128) {
        // Without a key of their own records are told apart by nothing.
        self.told = (!self.key.is_empty()).then_some(key);
    }

    fn close(&mut self, batch: &mut Vec<u8>) {
        if self.end != batch.len() {
            // Some were taken out again.
            self.begins.clear();
            let mut at = 0;
            while let Some(length) = batch.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
                self.begins.push(at as u32);
                at += 4 + u32::from_le_bytes(*length) as usize;
            }
        }
        let count = self.begins.len() as u32;
        batch.reserve(4 * (self.begins.len() + 1));
        self.begins.drain(..).for_each(|begin| batch.extend_from_slice(&begin.to_le_bytes()));
        batch.extend_from_slice(&count.to_le_bytes());
    }
}

/// Where the records of a batch begin, as [`RecordEncoder`] noted it when it closed the batch.
///
/// # Errors
/// If that is cut off.
pub(super) fn index(batch: &[u8]) -> Result<&[[u8; 4]]> {
    let Some((rest, count)) = batch.split_last_chunk::<4>() else { return Ok(&[]) };
    let length = (u32::from_le_bytes(*count) as usize).checked_mul(4);
    let from = length.and_then(|length| rest.len().checked_sub(length)).ok_or_else(broken)?;
    Ok(rest[from..].as_chunks::<4>().0)
}

/// The error of records that are not whole: what was kept of them was not written by this program.
pub(super) fn broken() -> Error {
    Error::bug("an encoded record is not whole")
}
