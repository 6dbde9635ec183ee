//! The arithmetic of the chain: leaf, link, running hash, key evolution, the code of the head.
//!
//! All numbers go in as eight bytes, most significant first, all hashes are SHA-256 and all
//! codes HMAC-SHA-256; each use begins with a name of its own, so that none can stand for another.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::merkle::Frontier;
use crate::record::digest::tagged_sha256;
pub use crate::record::shown::hex;

/// A hash or a code.
pub type Hash = [u8; 32];

/// How long an epoch lasts at most, in nanoseconds: an hour.
pub const EPOCH_NS: i64 = 3_600_000_000_000;

/// How many events an epoch holds at most, its sealing event not counted.
pub const EPOCH_EVENTS: u64 = 10_000;

/// How many empty epochs one sealing event may seal. Longer silence (over eleven years) counts as this.
const EMPTY_LIMIT: i64 = 100_000;

/// A key of the chain: one epoch's. Wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    /// HMAC with this key in it: the key is worked in once, not for each event. Wipes itself.
    mac: Hmac<Sha256>,
}

impl Key {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        // The block-sized form cannot fail: a key of 32 bytes is padded with zeros as RFC 2104 says.
        let mut block = [0u8; 64];
        block[..32].copy_from_slice(&bytes);
        let mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        block.zeroize();
        Self { bytes: Zeroizing::new(bytes), mac }
    }

    /// The key of the next epoch. There is no way back.
    pub fn evolve(&self) -> Self {
        Self::new(code(self, &[b"evolve"]))
    }

    /// The key `steps` epochs later.
    pub fn evolve_by(&self, steps: u64) -> Self {
        (0..steps).fold(self.clone(), |key, _| key.evolve())
    }

    /// The bytes, for wrapping and for showing the first key once.
    pub fn reveal(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// A public name of the key: tells keys apart and says nothing about their bytes.
    pub fn id(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"consign-key-id/1");
        hasher.update(&self.bytes[..]);
        hex(&hasher.finalize()[..8])
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(***)")
    }
}

/// What a link binds together.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The log it belongs to.
    pub log_id: &'a str,
    /// The epoch whose key makes the code.
    pub epoch: u64,
    /// 1, 2, 3 … over the life of the log.
    pub seq: u64,
    /// The code of the event before, zeros for the first.
    pub previous: &'a Hash,
    /// The leaf of this event.
    pub leaf: &'a Hash,
}

/// The leaf of a body, as in a Merkle tree (RFC 6962): the hash of a zero byte and the stored bytes.
pub fn leaf(body: &[u8]) -> Hash {
    tagged_sha256(0, body)
}

/// The code of an event under the key of its epoch.
pub fn link(key: &Key, link: &Link<'_>) -> Hash {
    // The numbers and hashes in one piece: taking many small ones apart costs as much as the hash.
    let mut rest = [0; 80];
    rest[..8].copy_from_slice(&link.epoch.to_be_bytes());
    rest[8..16].copy_from_slice(&link.seq.to_be_bytes());
    rest[16..48].copy_from_slice(link.previous);
    rest[48..].copy_from_slice(link.leaf);
    code(key, &[b"consign-audit/1", link.log_id.as_bytes(), &rest])
}

/// The running hash over all leaves and codes: needs no key to be followed, and the head's code
/// covers it, so that whoever holds the current key alone can check every event there ever was.
pub fn fold(running: &Hash, leaf: &Hash, mac: &Hash) -> Hash {
    tagged_sha256(3, [*running, *leaf, *mac].as_flattened())
}

/// The same over leaves alone, as the first versions of consign made it.
pub fn fold_plain(running: &Hash, leaf: &Hash) -> Hash {
    tagged_sha256(2, [*running, *leaf].as_flattened())
}

/// Where the chain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Events in the log.
    pub size: u64,
    /// The code of the last event.
    pub last: Hash,
    /// The running hash over all leaves and codes.
    pub running: Hash,
    /// Up to which event the running hash is that of leaves alone ([`fold_plain`]): 0 for logs that
    /// began with this version.
    pub plain_until: u64,
    /// The frontier of the Merkle tree; `None` in a log that an older consign wrote.
    pub frontier: Option<Frontier>,
    /// The epoch that is open.
    pub epoch: u64,
    /// When it began, nanoseconds since 1970.
    pub epoch_since_ns: i64,
    /// Events in it so far.
    pub epoch_events: u64,
    /// Time of the last event.
    pub last_ns: i64,
    /// The code of all this under the key of the open epoch.
    pub code: Hash,
}

impl Head {
    /// The head of a log without events, to which the first is about to be added.
    pub fn empty(now_ns: i64) -> Self {
        Self {
            size: 0,
            last: [0; 32],
            running: [0; 32],
            plain_until: 0,
            frontier: Some(Frontier::default()),
            epoch: 0,
            epoch_since_ns: now_ns,
            epoch_events: 0,
            last_ns: now_ns,
            code: [0; 32],
        }
    }

    /// The code this head must carry.
    pub fn code_under(&self, key: &Key, log_id: &str) -> Hash {
        // A head that an older consign wrote keeps the code that it has: it knew no tree.
        let old = self.size == self.plain_until && self.size > 0;
        let frontier = self.frontier.as_ref().filter(|_| !old).map(Frontier::bytes).unwrap_or_default();
        code(
            key,
            &[
                if old { b"consign-head/1" } else { b"consign-head/2" },
                log_id.as_bytes(),
                &self.size.to_be_bytes(),
                &self.last,
                &self.running,
                &self.epoch.to_be_bytes(),
                &self.epoch_since_ns.to_be_bytes(),
                &self.epoch_events.to_be_bytes(),
                &self.last_ns.to_be_bytes(),
                frontier,
            ],
        )
    }

    /// The root of the tree, if its frontier is known.
    pub fn root(&self) -> Option<Hash> {
        self.frontier.as_ref().map(Frontier::root)
    }

    /// Whether the epoch must be sealed before an event of this time is added.
    pub fn is_over(&self, ts_ns: i64) -> bool {
        self.epoch_events >= EPOCH_EVENTS || ts_ns.saturating_sub(self.epoch_since_ns) >= EPOCH_NS
    }

    /// The epoch that follows if this one is sealed at that time: one later, and one more for each
    /// whole hour of silence, so that the number of an epoch cannot lag behind the time.
    pub fn epoch_after(&self, ts_ns: i64) -> u64 {
        let hours = ts_ns.saturating_sub(self.epoch_since_ns) / EPOCH_NS;
        self.epoch + 1 + (hours - 1).clamp(0, EMPTY_LIMIT) as u64
    }

    /// Adds an event's leaf and code, and says which nodes of the tree became complete.
    ///
    /// # Errors
    /// Of whoever is told.
    pub fn add<E>(
        &mut self,
        ts_ns: i64,
        leaf: &Hash,
        mac: Hash,
        complete: impl FnMut(u32, u64, &Hash) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(frontier) = &mut self.frontier {
            frontier.add(*leaf, complete)?;
        }
        self.size += 1;
        self.epoch_events += 1;
        self.running = if self.size > self.plain_until {
            fold(&self.running, leaf, &mac)
        } else {
            fold_plain(&self.running, leaf)
        };
        self.last = mac;
        self.last_ns = ts_ns;
        Ok(())
    }

    /// Opens the epoch after the one just sealed.
    pub fn open_epoch(&mut self, epoch: u64, since_ns: i64) {
        self.epoch = epoch;
        self.epoch_since_ns = since_ns;
        self.epoch_events = 0;
    }
}

fn code(key: &Key, parts: &[&[u8]]) -> Hash {
    let mut mac = key.mac.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_plain_hmac_sha_256() {
        // RFC 4231 asks for other key lengths; this is `printf evolve | openssl dgst -sha256 -mac HMAC -macopt hexkey:00…`.
        let by_slice = {
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&[7; 32]).expect("any length");
            mac.update(b"evolve");
            mac.finalize().into_bytes()
        };
        assert_eq!(Key::new([7; 32]).evolve().reveal()[..], by_slice[..]);
    }

    #[test]
    fn every_part_of_a_link_counts() {
        let key = Key::new([1; 32]);
        let base = Link { log_id: "a", epoch: 1, seq: 1, previous: &[0; 32], leaf: &[0; 32] };
        let all = [
            link(&key, &base),
            link(&key.evolve(), &base),
            link(&key, &Link { log_id: "b", ..base }),
            link(&key, &Link { epoch: 2, ..base }),
            link(&key, &Link { seq: 2, ..base }),
            link(&key, &Link { previous: &[1; 32], ..base }),
            link(&key, &Link { leaf: &[1; 32], ..base }),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn silence_moves_the_epoch_on() {
        let head = Head::empty(0);
        assert_eq!(head.epoch_after(5), 1);
        assert_eq!(head.epoch_after(EPOCH_NS), 1);
        assert_eq!(head.epoch_after(2 * EPOCH_NS), 2);
        assert_eq!(head.epoch_after(24 * EPOCH_NS), 24);
        assert!(!head.is_over(EPOCH_NS - 1) && head.is_over(EPOCH_NS));
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", Key::new([0x41; 32])), "Key(***)");
    }
}
