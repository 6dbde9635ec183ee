//! How drafts become events: id, body, leaf, code, place in the tree, each bound to the one before it. Nothing here
//! asks the database: while events are put into it, those that follow can be made.

use std::ops::Range;
use std::sync::Arc;

use super::keys;
use crate::audit::chain::{self, Hash, Link};
use crate::audit::event::{self, Stamp};
use crate::audit::merkle::STRIDE;
use crate::audit::{Action, Draft, Head, Key, Session};
use crate::error::{Error, Result};

/// Random numbers are fetched for so many ids at once, at most.
const IDS_AT_ONCE: usize = 64;

/// Events that are to be put into the database.
pub(super) struct Made {
    pub events: Vec<Linked>,
    /// Their bodies, one behind the other.
    pub bodies: Vec<u8>,
}

/// One of them.
pub(super) struct Linked {
    pub id: String,
    pub seq: u64,
    pub ts_ns: i64,
    pub epoch: u64,
    pub leaf: Hash,
    pub mac: Hash,
    /// Its body among all of them.
    pub body: Range<usize>,
    /// The nodes of the tree that it completed and that are kept: level, place, hash.
    pub nodes: Vec<(u32, u64, Hash)>,
    /// What it was made of, if that is nothing that was given: the seal of an epoch.
    pub own: Option<Draft>,
}

impl Made {
    /// None yet, with room for so many and a seal.
    pub(super) fn room_for(events: usize) -> Self {
        // A body is 250 to 400 bytes; the only one may be of a run, and longer.
        Self { events: Vec::with_capacity(events + 1), bodies: Vec::with_capacity(events * 400 + 400) }
    }
}

/// Follows the chain; the head is written once, at the end.
pub(super) struct Linker {
    pub log_id: String,
    pub session: Arc<Session>,
    pub head: Head,
    pub key: Key,
    /// Whether the key must be wrapped anew.
    pub sealed: bool,
    /// Random bytes that are left: the operating system is asked for many at a time.
    random: Vec<[u8; 16]>,
    /// For how many ids it is asked.
    at_once: usize,
}

impl Linker {
    pub(super) fn new(log_id: String, session: Arc<Session>, head: Head, key: Key, sealed: bool) -> Self {
        Self { log_id, session, head, key, sealed, random: Vec::new(), at_once: 1 }
    }

    /// Says how many events will come.
    pub(super) fn expect(&mut self, events: usize) {
        self.at_once = events.clamp(1, IDS_AT_ONCE);
    }

    /// Adds the event of a draft; before it the seal of its epoch, if that is over.
    ///
    /// # Errors
    /// The operating system has no random bytes.
    pub(super) fn link_in_epoch(&mut self, draft: &Draft, ts_ns: i64, clock_ns: i64, made: &mut Made) -> Result<()> {
        if self.head.is_over(ts_ns) {
            let next = self.head.epoch_after(ts_ns);
            let seal = Draft::new(Action::EpochSealed)
                .detail("epoch", self.head.epoch)
                .detail("next", next)
                .detail("events", self.head.epoch_events)
                .detail("running", chain::hex(&self.head.running));
            let event = self.link(&seal, ts_ns, clock_ns, &mut made.bodies)?;
            made.events.push(Linked { own: Some(seal), ..event });
            // The old key is dropped and wiped here; its wrapped form is overwritten in this transaction.
            self.key = self.key.evolve_by(next - self.head.epoch);
            self.head.open_epoch(next, ts_ns);
            self.sealed = true;
        }
        let event = self.link(draft, ts_ns, clock_ns, &mut made.bodies)?;
        made.events.push(event);
        Ok(())
    }

    /// The event of a draft; its body goes behind the others.
    ///
    /// # Errors
    /// As for [`Self::link_in_epoch`].
    fn link(&mut self, draft: &Draft, ts_ns: i64, clock_ns: i64, bodies: &mut Vec<u8>) -> Result<Linked> {
        let (seq, epoch) = (self.head.size + 1, self.head.epoch);
        let stamp = Stamp { id: event::id(ts_ns, self.random()?), seq, ts_ns, clock_ns };
        let begin = bodies.len();
        draft.write_body(&stamp, &self.session, bodies);
        let body = begin..bodies.len();
        let leaf = chain::leaf(&bodies[begin..]);
        let link = Link { log_id: &self.log_id, epoch, seq, previous: &self.head.last, leaf: &leaf };
        let mac = chain::link(&self.key, &link);
        let mut nodes = Vec::new();
        self.head.add(ts_ns, &leaf, mac, |level, place, hash| {
            if level.is_multiple_of(STRIDE) {
                nodes.push((level, place, *hash));
            }
            Ok::<_, Error>(())
        })?;
        Ok(Linked { id: stamp.id, seq, ts_ns, epoch, leaf, mac, body, nodes, own: None })
    }

    /// Sixteen random bytes.
    fn random(&mut self) -> Result<[u8; 16]> {
        if self.random.is_empty() {
            self.random.resize(self.at_once, [0; 16]);
            keys::fill(self.random.as_flattened_mut())?;
        }
        self.random.pop().ok_or_else(|| Error::bug("no random bytes"))
    }
}
