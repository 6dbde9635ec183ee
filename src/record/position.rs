//! Where in a source something stands, and how to come back to it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of one independent sequence of a source: a file, a partition, a page chain.
/// It is stable between runs.
pub type SliceId = std::sync::Arc<str>;

/// A point in a slice between two records: everything before it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Position {
    /// Bytes of the (decoded, decompressed) stream before this point.
    pub byte: u64,
    /// Lines that ended before this point.
    pub line: u64,
    /// Records before this point, rejected ones included.
    pub record: u64,
    /// Whatever else the protocol needs to come back and to know the slice again
    /// (file identity, prefix hash …). Written by one version, read by later ones: a JSON object.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub extra: serde_json::Value,
}

/// What is settled of a slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Where to resume.
    pub position: Position,
    /// Whether the slice had been read to its end.
    pub done: bool,
}

/// Names what is being settled, so that a sink can tell later what it has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The log id of the state this route belongs to: a target knows it again.
    pub log_id: String,
    /// The route's name.
    pub route: String,
    /// 1, 2, 3 … over the life of the route: one per settled group.
    pub group: u64,
    /// Fencing number of the run that wrote it: grows with every run.
    pub fence: u64,
    /// For byte sinks: the length of the target after this group.
    pub length: Option<u64>,
    /// For byte sinks: by what the target is known again. `None`: a version before this one wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

/// By what a target of bytes is known again when its length alone would not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Hashes of its first bytes and of those before its settled length.
    pub content: String,
    /// While it is written beside its name: the length of the file that it will replace.
    pub replaces: Option<u64>,
    /// Of a target whose head tells it: how many records it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}

/// What a group in doubt would look like in a target of bytes, as far as it can be told without
/// keeping any of it: whatever stands there instead is not ours to take back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trace {
    /// Bytes of all batches.
    pub bytes: u64,
    /// How many batches they are.
    pub batches: u64,
    /// Lengths and hashes of beginnings of the first batch, the shortest first.
    pub heads: Vec<(u64, String)>,
}

/// Beginnings that are hashed.
const HEADS: [usize; 6] = [16, 64, 256, 1024, 4096, 16_384];

impl Trace {
    /// Of the batches of a group, in order.
    pub fn of<'b>(batches: impl Iterator<Item = &'b [u8]>) -> Self {
        let mut trace = Self::default();
        for bytes in batches.filter(|bytes| !bytes.is_empty()) {
            if trace.batches == 0 {
                trace.heads = HEADS.iter().filter_map(|len| Some((*len as u64, hash(bytes.get(..*len)?)))).collect();
            }
            trace.bytes += bytes.len() as u64;
            trace.batches += 1;
        }
        trace
    }

    /// How many bytes of the first batch are worth looking at.
    pub fn looks_at(&self) -> u64 {
        self.heads.last().map_or(0, |(length, _)| *length)
    }

    /// Whether these bytes could be the beginning of the first batch.
    pub fn fits(&self, bytes: &[u8]) -> bool {
        let known = self.heads.iter().rev().find_map(|(length, hash)| Some((bytes.get(..*length as usize)?, hash)));
        known.is_none_or(|(bytes, wanted)| hash(bytes) == *wanted)
    }
}

fn hash(bytes: &[u8]) -> String {
    super::shown::hex(&Sha256::digest(bytes)[..8])
}

/// What a sink reports of a committed group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Receipt {
    /// Records that took effect and are now durable in the target.
    pub written: u64,
    /// Records that stood there already, just so.
    pub unchanged: u64,
    /// Of the unchanged: records that found no record with their key (update, delete).
    pub unmatched: u64,
    /// Records that a later one with the same key, in the same group, replaced before they were
    /// written.
    pub superseded: u64,
    /// Records of the target that are gone now.
    pub deleted: u64,
    /// Records the target refused.
    pub refused: u64,
    /// Records of which nobody can tell whether they took effect, and that are not sent again; they are
    /// among [`Receipt::refusals`], too.
    #[serde(skip_serializing_if = "is_zero")]
    pub in_doubt: u64,
    /// Which ones were refused or are in doubt, and why, by their place in the group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// For byte sinks: the length of the target now, to be settled.
    pub length: Option<u64>,
    /// For byte sinks: by what the target is known again, to be settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Why a target refused one record of a group, or that nobody knows what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// The record's number among those given for the group, from 0, in order.
    pub record: u64,
    /// One sentence, without the value.
    pub cause: String,
    /// The target column at fault, if the target says so.
    pub field: Option<String>,
    /// It may have taken effect.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub doubt: bool,
}
