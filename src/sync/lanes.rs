//! Lanes: records of one key stay in the order of reading, dead letters included. A letter whose
//! record comes again later and is written is superseded; replaying it would put an older version
//! over a newer one.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::record::{Reject, Value, shown};
use crate::store::subjects::PERSON;

use super::middle::Done;

/// Letters whose keys are kept in memory; with more the store is asked about each key that was
/// written.
pub const MOST_KEYS: usize = 100_000;

/// Makes the hash that a record's key is known by: nobody without the state's secret can tell a key
/// from it, or try keys out.
pub struct KeyHash {
    start: SipHasher24,
    scratch: Vec<u8>,
}

impl KeyHash {
    /// Under this secret.
    pub fn new(secret: [u8; 16]) -> Self {
        Self { start: SipHasher24::new_with_key(&secret), scratch: Vec::new() }
    }

    /// The hash of a key, its values in the order of the key.
    #[inline]
    pub fn of<'v>(&mut self, mut key: impl ExactSizeIterator<Item = &'v Value<'v>>) -> u128 {
        let mut hasher = self.start;
        // A key of one text is that text. Others get their canonical text, each part ended by a byte
        // that UTF-8 does not have.
        if key.len() == 1 {
            match key.next() {
                Some(Value::String(text)) => hasher.write(text.as_bytes()),
                Some(other) => self.write(other, &mut hasher),
                None => {}
            }
        } else {
            for value in key {
                self.write(value, &mut hasher);
                hasher.write(&[0xff]);
            }
        }
        hasher.finish128().as_u128()
    }

    /// The hash of what a person is known by: never that of a record with the same key, for it begins with a byte
    /// that UTF-8 does not have.
    pub fn person(&self, id: &[u8]) -> u128 {
        let mut hasher = self.start;
        hasher.write(&[PERSON]);
        hasher.write(id);
        hasher.finish128().as_u128()
    }

    fn write(&mut self, value: &Value<'_>, hasher: &mut SipHasher24) {
        self.scratch.clear();
        shown::write(value, false, &mut self.scratch);
        hasher.write(&self.scratch);
    }
}

/// The hash of a key of one part, as a person writes it: what letters and withheld records are found by.
pub fn key_of(secret: [u8; 16], text: &str) -> u128 {
    KeyHash::new(secret).of(std::iter::once(&Value::String(text)))
}

/// For maps of what is a hash already.
#[derive(Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

/// Builds the hasher of such maps.
pub type Hashed = BuildHasherDefault<AsItIs>;

/// What waits in the dead letters while a run goes on.
pub struct Lanes {
    /// `None`: too many to be kept here.
    waiting: Option<HashSet<u128, Hashed>>,
    /// The rejects of the group in hand, by key: where they stand in its list.
    rejected: HashMap<u128, Vec<usize>, Hashed>,
    /// Keys written in the group in hand that letters of earlier groups wait with.
    overtaking: Vec<u128>,
}

impl Lanes {
    /// With the keys that wait; `None`: there are too many.
    pub fn new(waiting: Option<Vec<u128>>) -> Self {
        Self {
            waiting: waiting.map(|keys| keys.into_iter().collect()),
            rejected: HashMap::default(),
            overtaking: Vec::new(),
        }
    }

    /// Takes what became of a part, its records in the order of reading, before its rejects join
    /// those of the group.
    pub fn pass(&mut self, done: &mut Done, group: &mut [Reject]) {
        if self.waiting.as_ref().is_some_and(HashSet::is_empty)
            && self.rejected.is_empty()
            && done.rejects.iter().all(|reject| reject.record_key.is_none())
        {
            return;
        }
        let (keys, indices) = (std::mem::take(&mut done.keys), std::mem::take(&mut done.indices));
        let mut written = keys.into_iter().zip(indices).peekable();
        for at in 0..=done.rejects.len() {
            // Record numbers of rejects begin with 1.
            let before = done.rejects.get(at).map_or(u64::MAX, |reject| reject.record - 1);
            while let Some((key, _)) = written.next_if(|(_, index)| u64::from(*index) < before) {
                self.written(key, group, &mut done.rejects);
            }
            if let Some(key) = done.rejects.get(at).and_then(|reject| reject.record_key) {
                self.rejected.entry(key).or_default().push(group.len() + at);
            }
        }
    }

    /// Ends the group: the keys whose letters from before it are superseded. Its rejects wait from
    /// now on.
    pub fn cut(&mut self) -> Vec<u128> {
        for (key, _) in self.rejected.drain() {
            if let Some(waiting) = &mut self.waiting {
                waiting.insert(key);
            }
        }
        if self.waiting.as_ref().is_some_and(|waiting| waiting.len() > MOST_KEYS) {
            self.waiting = None;
        }
        std::mem::take(&mut self.overtaking)
    }

    fn written(&mut self, key: u128, group: &mut [Reject], part: &mut [Reject]) {
        if self.waiting.as_mut().is_none_or(|waiting| waiting.remove(&key)) {
            self.overtaking.push(key);
        }
        for at in self.rejected.remove(&key).into_iter().flatten() {
            let reject = match at.checked_sub(group.len()) {
                None => group.get_mut(at),
                Some(at) => part.get_mut(at),
            };
            if let Some(reject) = reject {
                reject.overtaken = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Batch;
    use crate::record::{ClassSet, Position, Totals};

    fn reject(record: u64, key: u128) -> Reject {
        Reject {
            code: "test",
            cause: String::new(),
            field: None,
            source: String::new(),
            slice: String::new(),
            byte: 0,
            line: 0,
            record,
            column: 0,
            payload: Vec::new(),
            columns: Vec::new(),
            classes: ClassSet::NONE,
            record_key: Some(key),
            overtaken: false,
            subject: None,
        }
    }

    fn part(written: &[(u32, u128)], rejected: &[(u64, u128)]) -> Done {
        Done {
            slice: "s".into(),
            end: Position::default(),
            last_of_slice: false,
            batch: Batch::default(),
            digest: [0; 32],
            totals: Totals::default(),
            rejects: rejected.iter().map(|(record, key)| reject(*record, *key)).collect(),
            keys: written.iter().map(|(_, key)| *key).collect(),
            indices: written.iter().map(|(index, _)| *index).collect(),
            unkeyed: 0,
            origins: None,
            drifted: Default::default(),
            rulings: Default::default(),
            people: Vec::new(),
            kept_back: Vec::new(),
            amounts: Vec::new(),
        }
    }

    /// Passes parts of one group; which keys are overtaken, and which rejects of the group.
    fn check(waiting: Option<&[u128]>, parts: &[Done], keys: &[u128], rejects: &[bool]) {
        let mut lanes = Lanes::new(waiting.map(<[u128]>::to_vec));
        let mut group = Vec::new();
        for part in parts {
            let written: Vec<_> = part.indices.iter().copied().zip(part.keys.iter().copied()).collect();
            let rejected: Vec<_> = part.rejects.iter().map(|r| (r.record, r.record_key.unwrap())).collect();
            let written: Vec<_> = written.iter().map(|(index, key)| (*index, *key)).collect();
            let mut done = self::part(&written, &rejected);
            lanes.pass(&mut done, &mut group);
            group.append(&mut done.rejects);
        }
        assert_eq!(group.iter().map(|r| r.overtaken).collect::<Vec<_>>(), rejects);
        assert_eq!(lanes.cut(), keys);
    }

    #[test]
    fn what_is_written_later_overtakes_what_waits() {
        check(Some(&[]), &[part(&[(0, 1), (1, 2)], &[])], &[], &[]);
        check(Some(&[7]), &[part(&[(0, 1), (1, 7), (2, 7)], &[])], &[7], &[]);
        // Within a part the order of reading counts.
        check(Some(&[]), &[part(&[(1, 5)], &[(1, 5)])], &[], &[true]);
        check(Some(&[]), &[part(&[(0, 5)], &[(2, 5)])], &[], &[false]);
        check(Some(&[]), &[part(&[(1, 5)], &[(1, 5), (3, 5)])], &[], &[true, false]);
        // And over parts.
        check(Some(&[]), &[part(&[], &[(1, 5), (2, 6)]), part(&[(0, 6)], &[])], &[], &[false, true]);
        check(Some(&[]), &[part(&[(0, 6)], &[]), part(&[], &[(1, 6)])], &[], &[false]);
        // With too many to be kept here, the store is asked about all.
        check(None, &[part(&[(0, 1), (1, 2)], &[(3, 2)])], &[1, 2], &[false]);
    }

    #[test]
    fn what_was_rejected_in_one_group_waits_in_the_next() {
        let mut lanes = Lanes::new(Some(Vec::new()));
        let mut done = part(&[], &[(1, 9)]);
        lanes.pass(&mut done, &mut []);
        assert_eq!(lanes.cut(), []);
        lanes.pass(&mut part(&[(0, 9)], &[]), &mut []);
        assert_eq!(lanes.cut(), [9]);
    }

    #[test]
    fn a_key_of_several_parts_is_not_one_text() {
        let mut hash = KeyHash::new([1; 16]);
        let mut of = |parts: &[&str]| {
            let values: Vec<Value<'_>> = parts.iter().map(|part| Value::String(part)).collect();
            hash.of(values.iter())
        };
        assert_eq!(of(&["ab"]), of(&["ab"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab"]), KeyHash::new([2; 16]).of([Value::String("ab")].iter()));
    }
}
