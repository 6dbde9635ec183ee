//! Following a log on two threads: one reads rows, the other verifies them. What is handed over is copied into
//! batches, of which there are a few and no more, however long the log is.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use super::parts::Segment;
use crate::audit::chain::Hash;
use crate::audit::verify::{Index, Row};
use crate::audit::{Tampering, Verifier};
use crate::error::Result;

/// So many rows are handed over at once.
const ROWS: usize = 1024;

/// So many batches wait at most.
const WAITING: usize = 3;

/// Nodes of the tree by level and place, as they are stored.
pub(super) type StoredNodes = HashMap<(u32, u64), Hash>;

/// Rows on their way to the verifier, and what it compares them with.
#[derive(Default)]
pub(super) struct Batch<'w> {
    bytes: Vec<u8>,
    rows: Vec<Kept<'w>>,
    /// Whether a row follows that cannot be read.
    unreadable: bool,
    /// The rows that follow are in another part of the log: the segment, if they are in one.
    part: Option<Option<Sealed>>,
    /// The nodes that these rows complete; `None`: the log has no tree.
    nodes: Option<StoredNodes>,
}

/// A row without its bytes.
struct Kept<'w> {
    seq: i64,
    ts_ns: i64,
    epoch: i64,
    index: Index<'w>,
    /// Where its leaf, its code and its body end in the bytes of the batch.
    ends: [usize; 3],
    has_body: bool,
}

/// The segment that a verification is in, and what is wrong with its file as a whole.
pub(super) struct Sealed {
    pub segment: Segment,
    pub wrong: Option<String>,
}

impl Sealed {
    /// Where every event of a segment fits and its file is another all the same, something else in it was changed.
    pub(super) fn leave(inside: Option<Self>, verifier: &mut Verifier) {
        if let Some(Self { segment, wrong }) = inside {
            match wrong {
                Some(what) => verifier.wrong_segment(segment.first, Tampering::Edited, what),
                None => verifier.segment_held(),
            }
        }
    }
}

impl<'w> Batch<'w> {
    fn push(&mut self, row: &Row<'_>, index: Index<'w>) {
        let ends = [row.leaf, row.mac, row.body.unwrap_or_default()].map(|bytes| {
            self.bytes.extend_from_slice(bytes);
            self.bytes.len()
        });
        let (seq, ts_ns, epoch) = (row.seq, row.ts_ns, row.epoch);
        self.rows.push(Kept { seq, ts_ns, epoch, index, ends, has_body: row.body.is_some() });
    }

    /// Gives its rows to the verifier. Whether to go on.
    fn verify(&self, verifier: &mut Verifier) -> bool {
        let mut from = 0;
        for kept in &self.rows {
            let [leaf, mac, body] = kept.ends;
            let row = Row {
                seq: kept.seq,
                ts_ns: kept.ts_ns,
                epoch: kept.epoch,
                body: kept.has_body.then(|| &self.bytes[mac..body]),
                leaf: &self.bytes[from..leaf],
                mac: &self.bytes[leaf..mac],
                index: kept.index,
            };
            from = body;
            if !verifier.row(&row) {
                return false;
            }
            if let Some(stored) = &self.nodes {
                for (level, place, hash) in verifier.nodes() {
                    if stored.get(&(level, place)) != Some(&hash) {
                        verifier.wrong_node(level, place);
                        return false;
                    }
                }
            }
        }
        if self.unreadable {
            verifier.unreadable();
        }
        !self.unreadable
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }
}

/// Hands rows over, in order.
pub(super) struct Handing<'w> {
    batch: Batch<'w>,
    full: SyncSender<Batch<'w>>,
    empty: Receiver<Batch<'w>>,
    /// Which nodes the rows from one number to another complete.
    nodes: &'w dyn Fn(u64, u64) -> Result<Option<StoredNodes>>,
}

impl<'w> Handing<'w> {
    /// The rows that follow are in another part.
    pub(super) fn part(&mut self, sealed: Option<Sealed>) -> Result<bool> {
        let go_on = self.flush()?;
        self.batch.part = Some(sealed);
        Ok(go_on)
    }

    /// A row; `None`: it cannot be read. Whether the verifier wants more.
    pub(super) fn row(&mut self, row: Option<(Row<'_>, Index<'w>)>) -> Result<bool> {
        let Some((row, index)) = row else {
            self.batch.unreadable = true;
            self.flush()?;
            return Ok(false);
        };
        self.batch.push(&row, index);
        if self.batch.rows.len() < ROWS { Ok(true) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<bool> {
        if let (Some(first), Some(last)) = (self.batch.rows.first(), self.batch.rows.last()) {
            let (first, last) = (super::sql::count(first.seq), super::sql::count(last.seq));
            self.batch.nodes = (self.nodes)(first, last)?;
        }
        let next = self.empty.try_recv().unwrap_or_default();
        // Nobody takes it: the first bad event was found.
        Ok(self.full.send(std::mem::replace(&mut self.batch, next)).is_ok())
    }
}

/// Verifies what `read` hands over, on a thread of its own. With the verifier comes the segment that was not left.
pub(super) fn follow<'w>(
    mut verifier: Verifier,
    nodes: &'w dyn Fn(u64, u64) -> Result<Option<StoredNodes>>,
    read: impl FnOnce(&mut Handing<'w>) -> Result<()>,
) -> (Verifier, Option<Sealed>, Result<()>) {
    let (full, filled) = sync_channel::<Batch<'w>>(WAITING);
    let (emptied, empty) = channel();
    std::thread::scope(|scope| {
        let verifying = scope.spawn(move || {
            let mut inside = None;
            for mut batch in filled {
                if let Some(sealed) = batch.part.take() {
                    Sealed::leave(std::mem::replace(&mut inside, sealed), &mut verifier);
                }
                if !batch.verify(&mut verifier) {
                    break;
                }
                batch.clear();
                let _ = emptied.send(batch);
            }
            (verifier, inside)
        });
        let mut handing = Handing { batch: Batch::default(), full, empty, nodes };
        let read = read(&mut handing);
        // What was read before it failed is verified too: the first bad event may be there.
        let flushed = handing.flush().map(drop);
        let done = read.and(flushed);
        drop(handing);
        let (verifier, inside) = match verifying.join() {
            Ok(verified) => verified,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        (verifier, inside, done)
    })
}
