//! Records that a target refused one by one: they become dead letters like those that the mapping
//! rejected. What they were read from is kept until their group is durable, for such targets alone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::connect::Part;
use crate::error::codes::connect::CONSTRAINT;
use crate::error::codes::sync::PARKED;
use crate::record::{ClassSet, Receipt, Reject, Row};

use super::kept::{Reader, Writer};

/// What the records of one part were read from, in the order in which they are given to the target.
pub struct Origins {
    source: String,
    slice: String,
    columns: Vec<String>,
    classes: ClassSet,
    byte: u64,
    line: u64,
    /// Records of the slice before this part.
    pub before: u64,
    /// The bytes of the part itself, shared by all routes that read it; those of its records alone once they
    /// were kept.
    raw: Arc<Vec<u8>>,
    records: Vec<Origin>,
}

/// One record: where it stood, and where its bytes stand here.
struct Origin {
    index: u32,
    line: u32,
    byte: usize,
    at: usize,
    end: usize,
    key: Option<u128>,
    /// What its person is known by in the state.
    subject: Option<[u8; 16]>,
    /// Where the encoded record begins.
    encoded: usize,
}

impl Origins {
    /// For the records of a part.
    pub fn of(part: &Part, classes: ClassSet) -> Self {
        Self {
            source: part.name.to_string(),
            slice: part.slice.to_string(),
            columns: part.header.columns.clone(),
            classes,
            byte: part.start.byte,
            line: part.start.line,
            before: 0,
            raw: Arc::default(),
            records: Vec::new(),
        }
    }

    /// Gives the bytes of their part to those that were made of it.
    pub fn share<'o>(part: Part, origins: impl Iterator<Item = &'o mut Self>) {
        let raw = Arc::new(part.bytes);
        origins.for_each(|origins| origins.raw = Arc::clone(&raw));
    }

    /// Keeps a record that was encoded from `encoded` on; without its bytes if it holds what must never be stored.
    pub fn keep(
        &mut self,
        part: &Part,
        row: &Row<'_>,
        (key, subject): (Option<u128>, Option<[u8; 16]>),
        encoded: usize,
        is_fleeting: bool,
    ) {
        // The raw bytes are a slice of the part's: their place in it is their address.
        let byte = (row.raw.as_ptr() as usize).saturating_sub(part.bytes.as_ptr() as usize);
        let end = if is_fleeting { byte } else { byte + row.raw.len() };
        self.records.push(Origin { index: row.index, line: row.line, byte, at: byte, end, key, subject, encoded });
    }

    /// Leaves out the records that were encoded from these places on (in order): later ones replaced them.
    pub fn drop_encoded(&mut self, places: &[usize]) {
        if !places.is_empty() {
            self.records.retain(|record| places.binary_search(&record.encoded).is_err());
        }
    }

    /// Into what is kept of a group in doubt.
    pub fn store(&self, out: &mut Writer) {
        out.text(&self.source);
        out.text(&self.slice);
        out.number(self.columns.len() as u64);
        self.columns.iter().for_each(|column| out.text(column));
        out.classes(self.classes);
        [self.byte, self.line, self.before].into_iter().for_each(|number| out.number(number));
        let mut raw = Vec::with_capacity(self.records.iter().map(|record| record.end - record.at).sum());
        self.records.iter().for_each(|record| raw.extend_from_slice(self.bytes(record)));
        out.bytes(&raw);
        out.number(self.records.len() as u64);
        let mut end = 0;
        for record in &self.records {
            end += self.bytes(record).len() as u64;
            for number in [u64::from(record.index), u64::from(record.line), record.byte as u64, end] {
                out.number(number);
            }
            out.key(record.key);
            out.key(record.subject.map(u128::from_be_bytes));
        }
    }

    /// From what was kept of a group in doubt; `None`: it is not whole.
    pub fn restore(from: &mut Reader<'_>, with_subjects: bool) -> Option<Self> {
        let (source, slice) = (from.text()?, from.text()?);
        let columns = (0..from.number()?).map(|_| from.text()).collect::<Option<_>>()?;
        let classes = from.classes()?;
        let (byte, line, before) = (from.number()?, from.number()?, from.number()?);
        let raw = from.bytes()?.to_vec();
        let mut at = 0;
        let records = (0..from.number()?).map(|_| {
            let (index, line) = (from.number()? as u32, from.number()? as u32);
            let (byte, end) = (from.number()? as usize, from.number()? as usize);
            let key = from.key()?;
            let subject = if with_subjects { from.key()?.map(u128::to_be_bytes) } else { None };
            let at = std::mem::replace(&mut at, end);
            (at <= end && end <= raw.len()).then_some(Origin { index, line, byte, at, end, key, subject, encoded: 0 })
        });
        let records = records.collect::<Option<Vec<_>>>()?;
        Some(Self { source, slice, columns, classes, byte, line, before, raw: Arc::new(raw), records })
    }

    fn bytes(&self, record: &Origin) -> &[u8] {
        self.raw.get(record.at..record.end).unwrap_or_default()
    }

    fn reject(&self, at: usize) -> Reject {
        let record = &self.records[at];
        Reject {
            code: CONSTRAINT.id,
            cause: String::new(),
            field: None,
            source: self.source.clone(),
            slice: self.slice.clone(),
            byte: self.byte + record.byte as u64,
            line: self.line + u64::from(record.line) + 1,
            record: self.before + u64::from(record.index) + 1,
            column: 0,
            payload: self.bytes(record).to_vec(),
            columns: self.columns.clone(),
            classes: self.classes,
            record_key: record.key,
            overtaken: false,
            subject: record.subject,
        }
    }
}

/// The dead letters of the records that the target refused of a group.
pub fn letters(origins: &[Origins], receipt: &Receipt) -> Vec<Reject> {
    if receipt.refusals.is_empty() {
        return Vec::new();
    }
    // Of each key the last record of the group: one before it must not be replayed.
    let all = origins.iter().flat_map(|part| (0..part.records.len()).map(move |at| (part, at)));
    let mut last = HashMap::new();
    for (number, (part, at)) in (0..).zip(all.clone()) {
        if let Some(key) = part.records[at].key {
            last.insert(key, number);
        }
    }
    let mut refused = receipt.refusals.iter().peekable();
    let mut found = Vec::with_capacity(receipt.refusals.len());
    for (number, (part, at)) in (0..).zip(all) {
        let Some(refusal) = refused.next_if(|refusal| refusal.record == number) else { continue };
        let mut reject = part.reject(at);
        if refusal.doubt {
            reject.code = PARKED.id;
        }
        reject.cause.clone_from(&refusal.cause);
        reject.field.clone_from(&refusal.field);
        reject.overtaken = reject.record_key.is_some_and(|key| last.get(&key).is_some_and(|last| *last > number));
        found.push(reject);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Position, Refusal};
    use std::sync::Arc;

    fn part(bytes: &[u8]) -> Part {
        Part {
            sequence: 0,
            slice: "s".into(),
            name: "a.csv".into(),
            header: Arc::default(),
            bytes: bytes.to_vec(),
            start: Position { byte: 100, line: 10, ..Position::default() },
            end: Position::default(),
            last_of_slice: false,
        }
    }

    #[test]
    fn a_refused_record_is_found_again_behind_superseded_ones() {
        let part = part(b"aabbccdd");
        let mut origins = Origins::of(&part, ClassSet::NONE);
        origins.before = 1000;
        for (index, key) in (0..4u32).zip([1, 2, 1, 2]) {
            let at = index as usize * 2;
            let row = Row { slots: &[], raw: &part.bytes[at..at + 2], index, line: index };
            origins.keep(&part, &row, (Some(key), None), index as usize * 10, false);
        }
        // The first record was replaced within the part.
        origins.drop_encoded(&[0]);
        Origins::share(part, std::iter::once(&mut origins));
        let refusal = |record| Refusal { record, cause: "no".into(), field: Some("f".into()), doubt: record == 1 };
        let receipt = Receipt { refusals: vec![refusal(0), refusal(1)], refused: 2, ..Receipt::default() };
        let found = letters(&[origins], &receipt);
        let told: Vec<_> =
            found.iter().map(|r| (r.payload.as_slice(), r.record, r.line, r.byte, r.overtaken)).collect();
        assert_eq!(told, [(&b"bb"[..], 1002, 12, 102, true), (&b"cc"[..], 1003, 13, 104, false)]);
        assert_eq!((found[0].cause.as_str(), found[0].field.as_deref()), ("no", Some("f")));
        assert_eq!((found[0].code, found[1].code), (CONSTRAINT.id, PARKED.id));
    }
}
