//! How a file is known again: by device, inode and the hash of its first bytes, not by its name;
//! where a place has no inodes, by its path and the hash.
//! And what became of it since it was settled.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::place::Opened;
use super::source::now_in_nanoseconds;
use crate::error::Result;
use crate::record::shown::hex;
use crate::record::{Position, Settled, SliceId};

/// How much of the beginning is hashed.
const PREFIX_BYTES: u64 = 4096;
/// How much before the settled point is hashed, so that a file that was rewritten in place is noticed.
pub const TAIL_BYTES: usize = 1024;
/// Shorter beginnings, hashed too: of a file that became shorter than its prefix they tell
/// whether it was cut or is another one.
const HEADS: [u64; 4] = [16, 64, 256, 1024];

/// So old, in nanoseconds, a file's last modification is when it counts as at rest: clocks differ.
const REST: i64 = 60_000_000_000;

/// What a position remembers of its file. Written by one version, read by later ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    pub path: String,
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Last modification in nanoseconds since 1970.
    pub modified: i64,
    pub prefix_len: u64,
    pub prefix_hash: String,
    pub heads: Vec<(u64, String)>,
    /// Whether its last modification was a while ago when it was looked at: another one would show
    /// in a time that counts in seconds. Only kept for places without inodes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_rest: bool,
}

/// What a file is to a settled position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinship {
    /// Another file.
    Other,
    /// The same, with at least its prefix.
    Same,
    /// The same, but not even its prefix is whole.
    Cut,
}

impl Identity {
    /// Reads it off an open file. `size`: the bound up to which the file counts.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(file: &mut dyn Opened, path: &str, size: u64) -> Result<Self> {
        let about = file.about()?;
        let mut prefix = vec![0; PREFIX_BYTES.min(size) as usize];
        file.read_exact_at(&mut prefix, 0)?;
        let heads = HEADS.iter().filter(|len| **len < prefix.len() as u64);
        Ok(Self {
            path: path.to_owned(),
            device: about.object.unwrap_or_default().0,
            inode: about.object.unwrap_or_default().1,
            size,
            modified: about.modified,
            prefix_len: prefix.len() as u64,
            heads: heads.map(|len| (*len, short_hash(&prefix[..*len as usize]))).collect(),
            prefix_hash: hash(&prefix),
            at_rest: about.object.is_none() && now_in_nanoseconds().saturating_sub(about.modified) > REST,
        })
    }

    /// The identity that a position was settled with, if it is one of a file.
    pub fn in_position(position: &Position) -> Option<Self> {
        let known: Self = serde_json::from_value(position.extra.clone()).ok()?;
        (!known.prefix_hash.is_empty()).then_some(known)
    }

    /// The stable name of the slice.
    pub fn slice(&self) -> String {
        let prefix = &self.prefix_hash[..16.min(self.prefix_hash.len())];
        match self.has_object() {
            true => format!("file:{:x}:{:x}:{prefix}", self.device, self.inode),
            false => format!("path:{}:{prefix}", short_hash(self.path.as_bytes())),
        }
    }

    /// Whether the place gave it something that stays with it when it is renamed.
    pub fn has_object(&self) -> bool {
        (self.device, self.inode) != (0, 0)
    }

    /// Whether the open file, described by `self`, is the one that was known as `known`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn kinship(&self, known: &Self, file: &mut dyn Opened) -> Result<Kinship> {
        let same_path = self.path == known.path;
        // Device numbers may change with a reboot: then the path vouches for it. Without inodes
        // nothing else does: two files that begin alike are two files.
        let same_place = match self.has_object() || known.has_object() {
            true => self.inode == known.inode && (self.device == known.device || same_path),
            false => same_path,
        };
        if !same_place {
            return Ok(Kinship::Other);
        }
        if self.size >= known.prefix_len {
            let mut prefix = vec![0; known.prefix_len.min(PREFIX_BYTES) as usize];
            file.read_exact_at(&mut prefix, 0)?;
            return Ok(if hash(&prefix) == known.prefix_hash { Kinship::Same } else { Kinship::Other });
        }
        match known.heads.iter().rev().find(|(len, _)| *len <= self.size) {
            None => Ok(if same_path { Kinship::Cut } else { Kinship::Other }),
            Some((len, wanted)) => {
                let mut head = vec![0; *len as usize];
                file.read_exact_at(&mut head, 0)?;
                Ok(if short_hash(&head) == *wanted { Kinship::Cut } else { Kinship::Other })
            }
        }
    }
}

/// The last bytes before a point of the decoded stream, kept rolling.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// Further bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        match bytes.len().checked_sub(TAIL_BYTES) {
            Some(from) => {
                self.bytes.clear();
                self.bytes.extend_from_slice(&bytes[from..]);
            }
            None => {
                let spare = (self.bytes.len() + bytes.len()).saturating_sub(TAIL_BYTES);
                self.bytes.drain(..spare);
                self.bytes.extend_from_slice(bytes);
            }
        }
    }

    /// The last byte before the point.
    pub fn last(&self) -> Option<u8> {
        self.bytes.last().copied()
    }

    /// Its hash, for a position.
    pub fn hash(&self) -> String {
        short_hash(&self.bytes)
    }

    /// Whether a position was settled right behind these bytes.
    pub fn fits(&self, position: &Position) -> bool {
        position.extra.get("tail_hash").and_then(serde_json::Value::as_str).is_none_or(|wanted| wanted == self.hash())
    }
}

/// The settled slices of one file, the newest generation first.
///
/// # Errors
/// If the file cannot be read.
pub fn settled_as<'s>(
    now: &Identity,
    file: &mut dyn Opened,
    settled: &'s [(SliceId, Settled)],
) -> Result<Option<(&'s SliceId, &'s Settled, Identity, Kinship)>> {
    let mut best: Option<(u64, &SliceId, &Settled, Identity, Kinship)> = None;
    for (slice, at) in settled {
        let Some(known) = Identity::in_position(&at.position) else { continue };
        let kinship = now.kinship(&known, file)?;
        let number = generation(slice);
        if kinship != Kinship::Other && best.as_ref().is_none_or(|(other, ..)| *other <= number) {
            best = Some((number, slice, at, known, kinship));
        }
    }
    Ok(best.map(|(_, slice, at, known, kinship)| (slice, at, known, kinship)))
}

/// A slice name that is not taken: a file that is read anew is a new slice.
pub fn fresh_slice(base: &str, settled: &[(SliceId, Settled)]) -> SliceId {
    let taken = settled.iter().filter(|(slice, _)| slice.split('~').next() == Some(base));
    match taken.map(|(slice, _)| generation(slice)).max() {
        None => base.into(),
        Some(newest) => format!("{base}~{}", newest + 1).into(),
    }
}

fn generation(slice: &str) -> u64 {
    slice.rsplit_once('~').and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}

pub(super) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn short_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_the_last_kibibyte_however_it_came() {
        let all: Vec<u8> = (0..5000_u32).map(|n| (n % 251) as u8).collect();
        let whole = {
            let mut tail = Tail::default();
            tail.push(&all);
            tail.hash()
        };
        for step in [1, 7, 1000, 1024, 1025, 4999] {
            let mut tail = Tail::default();
            all.chunks(step).for_each(|piece| tail.push(piece));
            assert_eq!(tail.hash(), whole, "{step}");
        }
    }

    #[test]
    fn generations_count_up() {
        let settled = |names: &[&str]| -> Vec<(SliceId, Settled)> {
            names.iter().map(|n| ((*n).into(), Settled { position: Position::default(), done: true })).collect()
        };
        assert_eq!(&*fresh_slice("file:1", &settled(&[])), "file:1");
        assert_eq!(&*fresh_slice("file:1", &settled(&["file:1", "file:10"])), "file:1~2");
        assert_eq!(&*fresh_slice("file:1", &settled(&["file:1~9", "file:1~10", "file:1"])), "file:1~11");
    }
}
