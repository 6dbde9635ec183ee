//! The records of a group, and how they are cut into requests.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use serde_json::Value as Json;

use super::encoder::{HEAD, broken, index};
use crate::connect::pack::batch::Batching;
use crate::error::Result;
use crate::record::Path;
use crate::record::path::Step;

/// The encoded records of a group, in order.
#[derive(Default)]
pub(super) struct Group {
    batches: Vec<Vec<u8>>,
    records: Vec<Place>,
    /// Known once it is asked for, and nothing more comes.
    superseded: OnceLock<Vec<u32>>,
}

#[derive(Clone, Copy)]
struct Place {
    batch: u32,
    at: u32,
    record: u32,
    fields: u32,
    element: u32,
    key: u128,
}

impl Group {
    /// Adds a batch.
    ///
    /// # Errors
    /// If its records are not whole.
    pub fn add(&mut self, bytes: Vec<u8>) -> Result<()> {
        let batch = self.batches.len() as u32;
        for begin in index(&bytes)? {
            let at = u32::from_le_bytes(*begin) as usize;
            let head = bytes.get(at..).and_then(|rest| rest.first_chunk::<HEAD>()).ok_or_else(broken)?;
            let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let (whole, record, fields) = (number(0), number(20), number(24));
            let texts = (whole as usize + 4).checked_sub(HEAD).ok_or_else(broken)?;
            let element = texts.checked_sub(record as usize + fields as usize).ok_or_else(broken)? as u32;
            let start = u32::try_from(at + HEAD).map_err(|_| broken())?;
            if at + 4 + whole as usize > bytes.len() {
                return Err(broken());
            }
            let mut key = [0; 16];
            key.copy_from_slice(&head[4..20]);
            self.records.push(Place { batch, at: start, record, fields, element, key: u128::from_le_bytes(key) });
        }
        self.batches.push(bytes);
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// A record as the mapping names it, as JSON.
    pub fn record(&self, at: u32) -> &[u8] {
        match self.records[at as usize] {
            Place { record: 0, .. } => self.fields(at),
            place => self.text(place, 0, place.record),
        }
    }

    /// Its fields as they are written.
    pub fn fields(&self, at: u32) -> &[u8] {
        let place = self.records[at as usize];
        self.text(place, place.record, place.fields)
    }

    /// What stands for it in a batch.
    pub fn element(&self, at: u32) -> &[u8] {
        match self.records[at as usize] {
            Place { element: 0, .. } => self.fields(at),
            place => self.text(place, place.record + place.fields, place.element),
        }
    }

    fn text(&self, place: Place, from: u32, length: u32) -> &[u8] {
        let start = (place.at + from) as usize;
        &self.batches[place.batch as usize][start..start + length as usize]
    }

    /// The records that a later one of the same key replaces before they are written, in order. `keyed`:
    /// whether records have keys.
    pub fn superseded(&self, keyed: bool) -> &[u32] {
        if !keyed {
            return &[];
        }
        self.superseded.get_or_init(|| self.replaced())
    }

    fn replaced(&self) -> Vec<u32> {
        let mut seen = HashSet::<u128, BuildHasherDefault<Hashed>>::default();
        seen.reserve(self.records.len());
        let mut found: Vec<u32> = (0..self.records.len())
            .rev()
            .filter(|at| !seen.insert(self.records[*at].key))
            .map(|at| at as u32)
            .collect();
        found.reverse();
        found
    }

    /// Cuts records into requests: no more than so many, nor so many bytes, nor so many different values
    /// of what has to be alike.
    pub fn cut(&self, mut records: Vec<u32>, rules: &Batching, most: u64) -> Vec<Vec<u32>> {
        let most = usize::try_from(rules.records.min(most)).unwrap_or(usize::MAX).max(1);
        let mut alike = HashMap::new();
        if !rules.alike.is_empty() {
            let values: Vec<String> = records.iter().map(|at| self.values(*at, &rules.alike)).collect();
            let mut order: Vec<(String, u32)> = values.into_iter().zip(records).collect();
            order.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.cmp(&other.1)));
            records = order.iter().map(|(_, at)| *at).collect();
            alike = order.into_iter().map(|(value, at)| (at, value)).collect();
        }
        let mut made = Vec::new();
        let (mut chunk, mut bytes, mut kinds): (Vec<u32>, usize, usize) = (Vec::new(), 0, 0);
        for at in records {
            let size = self.element(at).len() + 1;
            let other = chunk.last().is_some_and(|last| alike.get(last) != alike.get(&at));
            let full = chunk.len() >= most || bytes + size > rules.bytes || other && kinds >= rules.groups;
            if full && !chunk.is_empty() {
                made.push(std::mem::take(&mut chunk));
                bytes = 0;
            }
            kinds = if chunk.is_empty() { 1 } else { kinds + usize::from(other) };
            bytes += size;
            chunk.push(at);
        }
        if !chunk.is_empty() {
            made.push(chunk);
        }
        made
    }

    fn values(&self, at: u32, paths: &[Path]) -> String {
        let record: Json = serde_json::from_slice(self.record(at)).unwrap_or(Json::Null);
        let found: Vec<String> = paths.iter().map(|path| within(&record, path).to_string()).collect();
        found.join("\n")
    }
}

/// Takes the hash of a key for what it is: a hash.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What stands at a path; null if nothing does.
pub(super) fn within<'j>(record: &'j Json, path: &Path) -> &'j Json {
    static NOTHING: Json = Json::Null;
    path.0.iter().fold(record, |here, step| match step {
        Step::Key(name) => here.get(name).unwrap_or(&NOTHING),
        Step::Index(at) => usize::try_from(*at).ok().and_then(|at| here.get(at)).unwrap_or(&NOTHING),
        Step::Each => &NOTHING,
    })
}
