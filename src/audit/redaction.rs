//! Redactions: bodies that were removed while their places in the chain and the tree remain. Each is
//! told of by an event that names the places and covers everything else that was known of them.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::chain::hex;
use super::event::Action;
use super::verify::Row;

/// What one `audit.redacted` event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// First and last numbers of the events whose bodies were removed, rising.
    pub ranges: Vec<(u64, u64)>,
    /// The digest over what remains of them.
    pub digest: String,
}

impl Redaction {
    /// As details of the event.
    pub fn details(&self) -> Map<String, Value> {
        let mut map = Map::new();
        let ranges: Vec<[u64; 2]> = self.ranges.iter().map(|(first, last)| [*first, *last]).collect();
        map.insert("events".to_string(), json!(ranges));
        map.insert("digest".to_string(), json!(self.digest));
        map
    }

    /// Out of such details; `None` if they are none.
    pub fn of(details: &Map<String, Value>) -> Option<Self> {
        let mut ranges = Vec::new();
        for pair in details.get("events")?.as_array()? {
            let [first, last] = pair.as_array()?.as_slice() else { return None };
            ranges.push((first.as_u64()?, last.as_u64()?));
        }
        Some(Self { ranges, digest: details.get("digest")?.as_str()?.to_string() })
    }
}

/// Whether events of this action may be redacted: not those that hold the log itself together.
pub fn may_be_redacted(action: &str) -> bool {
    let kept = [
        Action::EpochSealed,
        Action::EventsRedacted,
        Action::EventsPruned,
        Action::SegmentSealed,
        Action::SignerRotated,
        Action::LogStarted,
        Action::LogReplaced,
    ];
    !kept.iter().any(|kept| kept.word() == action)
}

/// The digest over what remains of redacted events.
#[derive(Clone, Default)]
pub struct Digester(Sha256);

impl Digester {
    /// Adds an event.
    pub fn add(&mut self, row: &Row<'_>) {
        for number in [row.seq, row.ts_ns, row.epoch] {
            self.0.update(number.to_be_bytes());
        }
        self.0.update(row.leaf);
        let index = &row.index;
        for text in [index.level, index.category, index.action, index.run.unwrap_or(""), index.route.unwrap_or("")] {
            self.0.update((text.len() as u64).to_be_bytes());
            self.0.update(text.as_bytes());
        }
    }

    /// The digest, in hexadecimal.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Follows the redacted events of one log.
#[derive(Default)]
pub(super) struct Redactions {
    all: Vec<(Redaction, Digester, u64)>,
    floor: u64,
    rows: u64,
}

impl Redactions {
    pub(super) fn new(all: Vec<Redaction>, floor: u64) -> Self {
        let all = all.into_iter().map(|redaction| (redaction, Digester::default(), 0)).collect();
        Self { all, floor, rows: 0 }
    }

    /// How many events without a body there were.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes an event without a body.
    pub(super) fn take(&mut self, row: &Row<'_>, seq: u64) -> Result<(), &'static str> {
        if !may_be_redacted(row.index.action) {
            return Err("its body is gone, and an event of its kind is never redacted");
        }
        let covers = |redaction: &Redaction| {
            let after = redaction.ranges.partition_point(|(first, _)| *first <= seq);
            after.checked_sub(1).is_some_and(|index| redaction.ranges[index].1 >= seq)
        };
        let Some((_, digester, count)) = self.all.iter_mut().find(|(redaction, ..)| covers(redaction)) else {
            return Err("its body is gone, and no event tells of that");
        };
        digester.add(row);
        *count += 1;
        self.rows += 1;
        Ok(())
    }

    /// What is wrong with them all together.
    pub(super) fn unlike(&self) -> Option<String> {
        let wrong = self.all.iter().find(|(redaction, digester, count)| {
            // Of one whose first events were pruned since, the digest cannot be made again.
            let whole = redaction.ranges.first().is_some_and(|(first, _)| *first > self.floor);
            *count > 0 && whole && digester.clone().finish() != redaction.digest
        })?;
        let (first, last) = (wrong.0.ranges.first()?.0, wrong.0.ranges.last()?.1);
        Some(format!("what remains of the redacted events {first} to {last} was changed"))
    }
}
