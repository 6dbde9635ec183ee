//! Lanes: records of one key stay in the order of reading, dead letters included. A letter whose
//! record comes again later and is written is superseded; replaying it would put an older version
//! over a newer one.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::record::{Reject, Value, shown};

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

    fn write(&mut self, value: &Value<'_>, hasher: &mut SipHasher24) {
        self.scratch.clear();
        shown::write(value, false, &mut self.scratch);
        hasher.write(&self.scratch);
    }
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
