//! Delivery: what the workers made becomes durable in the target, and what became of it becomes
//! durable in the store, so that a crash at any point loses nothing and doubles nothing.
//!
//! For each group of parts: (a) its intent is recorded: where its slices end, how many records,
//! the digest of what is sent; (b) the sink gets it and makes it durable under the group's
//! [`Mark`]; (c) it is settled: positions move, rejects become dead letters, counts add up, an
//! audit event is chained, all in one transaction.
//! (c) of one group and (a) of the next share that transaction, so a group costs one sync in the
//! store. (d) Only what is settled is acknowledged to the source.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::config::Mapping;
use crate::connect::{Batch, Sink};
use crate::error::Result;
use crate::record::{Mark, Receipt, Reject, Settled, SliceId, Totals};
use crate::store::failpoint::reach;
use crate::store::{Intent, Run, RunEnd, Settle, Store};

use super::middle::Done;
use super::reasons::{Reason, Reasons};
use super::watch::Watch;

/// A group closes at about so many bytes for the target …
const GROUP_BYTES: usize = 8 << 20;
/// … or so many records (the settled state is one row per slice, so that records are cheap; what
/// this bounds is the work that is done again after a crash) …
const GROUP_RECORDS: u64 = 100_000;
/// … or so many rejects, which are rows of their own …
const GROUP_REJECTS: usize = 10_000;
/// … or after this time.
const GROUP_TIME: Duration = Duration::from_millis(200);

/// Where groups go: for real, or nowhere. `--dry-run` and `--limit` differ from a real run here
/// and nowhere else.
pub enum Edge<'d> {
    /// Into the target and the store.
    Real {
        /// The store, which holds the route's lock for as long as this lives.
        store: &'d mut Store,
        /// The run that is being recorded.
        run: Run,
        /// The target.
        sink: Box<dyn Sink>,
    },
    /// Only counted.
    Dry,
}

/// The group in hand and all that was delivered before it.
pub struct Delivery<'d> {
    edge: Edge<'d>,
    /// What names this route in the target.
    mark: Mark,
    /// The hash of the mapping in force.
    mapping: String,
    /// A full run that has settled nothing yet: its first group takes the place of all before it.
    anew: bool,
    /// Most records in a group.
    most_records: u64,
    group: Group,
    /// Written, not yet settled: goes into the next transaction.
    waiting: Option<Settle>,
    /// Records of each slice before the group in hand.
    records: HashMap<SliceId, u64>,
    totals: Totals,
    reasons: Reasons,
}

/// Parts that go to the target together.
#[derive(Default)]
struct Group {
    since: Option<Instant>,
    batches: Vec<Batch>,
    bytes: usize,
    positions: Vec<(SliceId, Settled)>,
    totals: Totals,
    rejects: Vec<Reject>,
    replayed: Vec<String>,
    digest: blake3::Hasher,
}

impl<'d> Delivery<'d> {
    /// Starts after the given mark, with the positions that are settled.
    pub fn new(edge: Edge<'d>, mark: Mark, settled: &[(SliceId, Settled)], mapping: &Mapping, anew: bool) -> Self {
        Self {
            anew,
            edge,
            mark,
            mapping: mapping.hash.clone(),
            most_records: mapping.sync.batch_records.unwrap_or(GROUP_RECORDS),
            group: Group::default(),
            waiting: None,
            records: settled.iter().map(|(slice, s)| (slice.clone(), s.position.record)).collect(),
            totals: Totals::default(),
            reasons: Reasons::default(),
        }
    }

    /// The counts so far, the group in hand included.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Takes the next part's results; says until when it will wait for more before it closes the
    /// group.
    ///
    /// # Errors
    /// If the target or the store fails.
    pub fn take(&mut self, done: Done, watch: &mut dyn Watch) -> Result<Option<Instant>> {
        let before = *self.records.get(&done.slice).unwrap_or(&0);
        let mut end = done.end.clone();
        end.record += before;
        self.records.insert(done.slice.clone(), end.record);
        let settled = Settled { position: end, done: done.last_of_slice };
        match self.group.positions.iter_mut().find(|(slice, _)| *slice == done.slice) {
            Some((_, known)) => *known = settled,
            None => self.group.positions.push((done.slice.clone(), settled)),
        }
        self.add(done, before, watch)
    }

    /// Takes a dead letter that came through this time: no position moves.
    ///
    /// # Errors
    /// As for [`Delivery::take`].
    pub fn take_letter(&mut self, letter: String, done: Done, watch: &mut dyn Watch) -> Result<()> {
        self.group.replayed.push(letter);
        self.add(done, 0, watch).map(drop)
    }

    fn add(&mut self, done: Done, before: u64, watch: &mut dyn Watch) -> Result<Option<Instant>> {
        self.totals.add(&done.totals);
        let group = &mut self.group;
        let since = *group.since.get_or_insert_with(Instant::now);
        group.bytes += done.batch.bytes.len();
        group.digest.update(&done.digest);
        group.totals.add(&done.totals);
        for mut reject in done.rejects {
            reject.record += before;
            self.reasons.add(&reject);
            group.rejects.push(reject);
        }
        if done.batch.records > 0 {
            group.batches.push(done.batch);
        }
        let full = group.bytes >= GROUP_BYTES
            || group.totals.produced >= self.most_records
            || group.rejects.len() >= GROUP_REJECTS
            || since.elapsed() >= GROUP_TIME;
        if full {
            self.close(watch)?;
        }
        Ok(self.group.since.map(|since| since + GROUP_TIME))
    }

    /// Closes the group in hand: intent, write, commit. It is settled with the next one.
    ///
    /// # Errors
    /// If the target or the store fails.
    pub fn close(&mut self, watch: &mut dyn Watch) -> Result<()> {
        if self.group.since.is_none() {
            return Ok(());
        }
        if self.anew && self.totals.read == 0 {
            // Nothing never replaces something: a full run waits for its first record.
            self.group.since = Some(Instant::now());
            return Ok(());
        }
        let group = std::mem::take(&mut self.group);
        let Edge::Real { store, run, sink } = &mut self.edge else {
            self.totals.written = self.totals.produced;
            watch.progress(&self.totals);
            return Ok(());
        };
        self.mark.group += 1;
        let intent = Intent {
            group: self.mark.group,
            slices: group.positions.clone(),
            records: group.totals.read,
            content: *group.digest.finalize().as_bytes(),
            fence: self.mark.fence,
            mapping: self.mapping.clone(),
            replayed: group.replayed.clone(),
            anew: self.anew,
        };
        reach("before_intent");
        store.step(run, self.waiting.as_ref(), Some(&intent))?;
        self.waiting = None;
        reach("after_intent");
        let receipt = write(sink.as_mut(), &group.batches, &self.mark).inspect_err(|_| sink.abandon())?;
        reach("after_write");
        self.mark.length = receipt.length;
        let mut totals = group.totals;
        totals.written = receipt.written;
        totals.refused = receipt.refused;
        self.totals.written += receipt.written;
        self.totals.refused += receipt.refused;
        self.waiting = Some(Settle {
            mark: self.mark.clone(),
            receipt,
            positions: group.positions,
            totals,
            rejects: group.rejects,
            replayed: group.replayed,
            warnings: Vec::new(),
            anew: std::mem::take(&mut self.anew),
        });
        watch.progress(&self.totals);
        Ok(())
    }

    /// Ends the target well, once everything there was is written; a full run that read nothing
    /// leaves it as it was. The last group is settled
    /// first: a target in its final form whose last group is not settled could not be told from
    /// one that somebody else has changed.
    ///
    /// # Errors
    /// If the target cannot be finished; the next run finishes it.
    pub fn finish(&mut self) -> Result<()> {
        if let Edge::Real { store, run, sink } = &mut self.edge {
            if self.anew {
                return Ok(());
            }
            if let Some(settle) = &self.waiting {
                store.step(run, Some(settle), None)?;
            }
            self.waiting = None;
            reach("after_settle");
            sink.finish()?;
            reach("after_finish");
        }
        Ok(())
    }

    /// Settles what is written and records how the run ended. A group in hand that was not
    /// written is given up: the next run reads it again.
    ///
    /// # Errors
    /// If the store fails; the run then stays open and the next one finds it so.
    pub fn end(mut self, mut end: RunEnd) -> Result<(Totals, Vec<Reason>)> {
        if let Edge::Real { store, run, sink } = &mut self.edge {
            sink.abandon();
            end.settle = self.waiting.take();
            store.finish_run(run, &end)?;
        }
        Ok((self.totals, self.reasons.commonest()))
    }
}

fn write(sink: &mut dyn Sink, batches: &[Batch], mark: &Mark) -> Result<Receipt> {
    for batch in batches {
        sink.write(batch)?;
        reach("mid_write");
    }
    sink.commit(mark)
}
