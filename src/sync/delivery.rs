//! Delivery: what the workers made becomes durable in the target, and what became of it becomes
//! durable in the store, so that a crash at any point loses nothing and doubles nothing.
//!
//! For each group of parts: (a) its intent is recorded: where its slices end, how many records,
//! the digest of what is sent; (b) the sink gets it and makes it durable under the group's
//! [`Mark`]; (c) it is settled: positions move, rejects become dead letters, counts add up, an
//! audit event is chained, all in one transaction. (c) of one group and (a) of the next share that
//! transaction, so a group costs one sync in the store. While one group becomes durable in the
//! target, on a thread of its own, the next one is collected.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::config::Mapping;
use crate::connect::pace::Pace;
use crate::connect::{Batch, DeleteGuard, Sink};
use crate::error::{Error, Result, codes};
use crate::map::Drifted;
use crate::record::{Decimal, Mark, Receipt, Reject, Rulings, Settled, SliceId, Sum, Totals, Trace};
use crate::store::failpoint::reach;
use crate::store::{Intent, Run, RunEnd, RunFilter, RunState, Settle, Store, Tenure};

use super::kept;
use super::lanes::{Lanes, MOST_KEYS};
use super::middle::Done;
use super::reasons::{Reason, Reasons};
use super::refused::{self, Origins};
use super::signals::Stop;
use super::watch::Watch;
use super::writer::Writer;

/// A group closes at about so many bytes for the target, or fewer where memory is short …
const GROUP_BYTES: usize = 8 << 20;
/// … or so many records (the settled state is one row per slice, so that records are cheap; what
/// this bounds is the work that is done again after a crash) …
const GROUP_RECORDS: u64 = 100_000;
/// … or so many rejects, which are rows of their own …
const GROUP_REJECTS: usize = 10_000;
/// … or after this time, once the writer has nothing else to do.
const GROUP_TIME: Duration = Duration::from_millis(200);

/// The store, which all routes of a run write to in turn, on one thread.
pub type Shared<'d> = &'d RefCell<&'d mut Store>;

/// How often it is looked whether a busy writer is done.
const LOOK: Duration = Duration::from_millis(10);

/// Runs that are looked through for the last whole one.
const LOOK_BACK: usize = 100;

/// Where groups go: for real, or nowhere. `--dry-run` and `--limit` differ from a real run here
/// and nowhere else.
#[expect(clippy::large_enum_variant, reason = "one for each route, and never copied about")]
pub enum Edge<'d> {
    /// Into the target and the store.
    Real {
        /// The store; the caller holds the route's lock for as long as this lives.
        store: Shared<'d>,
        /// The run that is being recorded.
        run: Run,
        /// The target.
        sink: Box<dyn Sink>,
        /// [`Sink::keeps_requests`]
        recipe: Option<String>,
    },
    /// Only counted.
    Dry,
}

impl Edge<'_> {
    /// Whether the target may refuse single records.
    pub fn may_refuse(&self) -> bool {
        match self {
            Self::Real { sink, .. } => sink.may_refuse(),
            Self::Dry => false,
        }
    }
}

/// The group in hand and all that was delivered before it.
pub struct Delivery<'d> {
    /// Where it is recorded and who writes; `None` for a dry run.
    real: Option<Real<'d>>,
    /// What names this route in the target.
    mark: Mark,
    /// What the group came to that the last run left in doubt.
    resolved: Totals,
    /// The hash of the mapping in force.
    mapping: String,
    /// A full run that has settled nothing yet: its first group takes the place of all before it.
    anew: bool,
    /// Positions stay where they are.
    still: bool,
    /// Keeps account of whom and what the records are about.
    accounts: bool,
    /// Most records in a group.
    most_records: u64,
    /// Bytes at which a group closes.
    most_bytes: usize,
    group: Group,
    /// Records of each slice before the group in hand.
    records: HashMap<SliceId, u64>,
    totals: Totals,
    reasons: Reasons,
    lanes: Lanes,
    /// Records whose key could not be told.
    unkeyed: u64,
    /// Fields that nobody declared and that were accepted, with the records they were in.
    drifted: Drifted,
    /// What compliance rules did to records so far, those that were kept back only counted.
    rulings: Rulings,
    /// How many parts were taken.
    parts: u64,
}

struct Real<'d> {
    store: Shared<'d>,
    run: Run,
    /// The right to write; `None` where nobody took a lock.
    tenure: Option<Tenure>,
    /// `None` once the target is finished.
    writer: Option<Writer>,
    /// The pace of the target, if it has one, and what ends the waiting for it.
    pace: Option<(Arc<Pace>, Stop)>,
    /// The group that the writer has in hand.
    sent: Option<Sent>,
    /// The group that is written and not settled yet: goes into the next transaction.
    written: Option<Settle>,
    /// How requests are made again, for a target whose requests are kept with their intent.
    recipe: Option<String>,
    /// Parts that are settled once the group is that the writer has in hand …
    sending: u64,
    /// … or the one that is written.
    writing: u64,
    /// Parts that are settled.
    through: Option<Arc<AtomicU64>>,
}

/// A group that is on its way.
struct Sent {
    settle: Settle,
    origins: Vec<Origins>,
    amounts: Vec<Decimal>,
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
    origins: Vec<Origins>,
    about: Vec<u128>,
    kept_back: Vec<(u128, &'static str)>,
    digest: blake3::Hasher,
    rulings: Rulings,
    /// Of each target record the numbers that are summed.
    amounts: Vec<Decimal>,
}

impl<'d> Delivery<'d> {
    /// Starts after the given mark, with the positions that are settled.
    pub fn new(edge: Edge<'d>, mark: Mark, settled: &[(SliceId, Settled)], mapping: &Mapping, anew: bool) -> Self {
        let waiting = match &edge {
            // A store that cannot tell says so again when something is settled.
            Edge::Real { store, run, .. } if mapping.sync.mode.keyed() => {
                store.borrow().waiting_keys(&run.route, MOST_KEYS).unwrap_or_default()
            }
            _ => Some(Vec::new()),
        };
        let mut most_records = mapping.sync.batch_records.unwrap_or(GROUP_RECORDS);
        let real = match edge {
            Edge::Dry => None,
            Edge::Real { store, run, sink, recipe } => {
                let tenure = store.borrow().tenure(&run.route);
                most_records = most_records.min(sink.most_records()).max(1);
                let writer = Some(Writer::new(sink, tenure.clone()));
                Some(Real {
                    store,
                    run,
                    tenure,
                    writer,
                    pace: None,
                    sent: None,
                    written: None,
                    recipe,
                    sending: 0,
                    writing: 0,
                    through: None,
                })
            }
        };
        Self {
            real,
            mark,
            resolved: Totals::default(),
            mapping: mapping.hash.clone(),
            anew,
            still: false,
            accounts: false,
            most_records,
            most_bytes: GROUP_BYTES,
            group: Group::default(),
            records: settled.iter().map(|(slice, s)| (slice.clone(), s.position.record)).collect(),
            totals: Totals::default(),
            reasons: Reasons::default(),
            lanes: Lanes::new(waiting),
            unkeyed: 0,
            drifted: Drifted::default(),
            rulings: Rulings::default(),
            parts: 0,
        }
    }

    /// Tells there how many parts are settled, whenever some are.
    pub fn telling(mut self, through: Arc<AtomicU64>) -> Self {
        if let Some(real) = &mut self.real {
            real.through = Some(through);
        }
        self
    }

    /// Whether positions stay where they are: what is read was asked for by its bounds.
    pub fn still(mut self, still: bool) -> Self {
        self.still = still;
        self
    }

    /// Keeps account of whom and what the records are about.
    pub fn accounting(mut self, accounts: bool) -> Self {
        self.accounts = accounts;
        self
    }

    /// Closes groups at so many bytes, if that is less than usual.
    pub fn groups_of(mut self, bytes: usize) -> Self {
        self.most_bytes = bytes.min(GROUP_BYTES);
        self
    }

    /// Writes at the pace that the target allows, if it says one; a stop that is asked for waits for nothing.
    pub fn paced(mut self, pace: Option<Arc<Pace>>, stop: Stop) -> Self {
        if let (Some(real), Some(pace)) = (&mut self.real, pace) {
            real.pace = Some((pace, stop));
        }
        self
    }

    /// Counts what the group came to that the last run left in doubt.
    pub fn resolved(mut self, totals: Totals) -> Self {
        self.resolved = totals;
        self
    }

    /// Records of which nobody knows whether they took effect.
    pub fn in_doubt(&self) -> u64 {
        self.totals.in_doubt + self.resolved.in_doubt
    }

    /// Records whose key could not be told.
    pub fn unkeyed(&self) -> u64 {
        self.unkeyed
    }

    /// A line for each field that nobody declared and that was accepted.
    pub fn drift_notes(&self) -> Vec<String> {
        let told = |(field, records): (&String, &u64)| {
            let records = if *records == 1 { "1 record".to_owned() } else { format!("{records} records") };
            format!("drift: `{field}` is not declared and came in {records}")
        };
        self.drifted.iter().map(told).collect()
    }

    /// What compliance rules did to records so far.
    pub fn rulings(&self) -> &Rulings {
        &self.rulings
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
    pub fn take(&mut self, mut done: Done, watch: &mut dyn Watch) -> Result<Option<Instant>> {
        self.parts += 1;
        self.unkeyed += done.unkeyed;
        for (field, records) in std::mem::take(&mut done.drifted) {
            *self.drifted.entry(field).or_default() += records;
        }
        if self.accounts {
            self.group.about.extend_from_slice(&done.keys);
        }
        self.lanes.pass(&mut done, &mut self.group.rejects);
        let before = *self.records.get(&done.slice).unwrap_or(&0);
        let mut end = done.end.clone();
        end.record += before;
        self.records.insert(done.slice.clone(), end.record);
        let settled = Settled { position: end, done: done.last_of_slice };
        match self.group.positions.iter_mut().find(|(slice, _)| *slice == done.slice) {
            _ if self.still => {}
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
        if self.accounts {
            self.group.about.extend_from_slice(&done.keys);
        }
        self.add(done, 0, watch).map(drop)
    }

    fn add(&mut self, done: Done, before: u64, watch: &mut dyn Watch) -> Result<Option<Instant>> {
        self.totals.add(&done.totals);
        let group = &mut self.group;
        let since = *group.since.get_or_insert_with(Instant::now);
        group.bytes += done.batch.bytes.len() + done.batch.seen.len();
        group.digest.update(&done.digest);
        group.totals.add(&done.totals);
        group.about.extend_from_slice(&done.people);
        group.kept_back.extend_from_slice(&done.kept_back);
        if !done.rulings.is_empty() {
            let mut rulings = done.rulings;
            rulings.withheld.iter_mut().for_each(|one| one.record += before);
            self.rulings.add(Rulings { withheld: Vec::new(), ..rulings.clone() });
            group.rulings.add(rulings);
            group.amounts.extend(done.amounts);
        }
        for mut reject in done.rejects {
            reject.record += before;
            self.reasons.add(&reject);
            group.rejects.push(reject);
        }
        if let Some(mut origins) = done.origins {
            origins.before = before;
            group.origins.push(origins);
        }
        if done.batch.records > 0 || done.batch.seen_records > 0 {
            group.batches.push(done.batch);
        }
        let full = group.bytes >= self.most_bytes
            || group.totals.produced >= self.most_records
            || group.rejects.len() >= GROUP_REJECTS;
        if full || since.elapsed() >= GROUP_TIME && self.idle() {
            return self.close(watch);
        }
        Ok(Some((since + GROUP_TIME).max(Instant::now() + LOOK)))
    }

    /// Nothing came for a while: closes the group in hand, or settles what is written, unless the writer is
    /// busy; then the group may as well grow. Says until when to wait for more.
    ///
    /// # Errors
    /// If the target or the store fails.
    pub fn quiet(&mut self, watch: &mut dyn Watch) -> Result<Option<Instant>> {
        match self.idle() {
            true => self.close(watch),
            false => Ok(Some(Instant::now() + LOOK)),
        }
    }

    fn idle(&mut self) -> bool {
        self.real.as_mut().and_then(|real| real.writer.as_mut()).is_none_or(Writer::idle)
    }

    /// Closes the group in hand: its intent is recorded, the writer gets it. It is settled with the
    /// next one, or when nothing more comes for a while: says until when to wait for that.
    ///
    /// # Errors
    /// If the target or the store fails.
    pub fn close(&mut self, watch: &mut dyn Watch) -> Result<Option<Instant>> {
        let empty = self.group.since.is_none();
        if !empty && self.anew && self.totals.read == 0 {
            // Nothing never replaces something: a full run waits for its first record.
            self.group.since = Some(Instant::now());
            return Ok(None);
        }
        let group = std::mem::take(&mut self.group);
        let Some(real) = &mut self.real else {
            self.totals.written = self.totals.produced;
            watch.progress(&self.totals);
            return Ok(None);
        };
        real.collect(&mut self.mark, &mut self.totals, &mut self.reasons, &mut self.rulings)?;
        if empty {
            real.settle(None, None)?;
            watch.progress(&self.totals);
            return Ok(None);
        }
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
            sweep: false,
            trace: Trace::of(group.batches.iter().map(|batch| batch.bytes.as_slice())),
        };
        let overtaking = self.lanes.cut();
        let kept = real.recipe.as_ref().map(|recipe| {
            kept::store(
                recipe,
                &group.batches,
                &group.totals,
                &group.rejects,
                &group.origins,
                &overtaking,
                &kept::Whose { about: &group.about, kept_back: &group.kept_back },
            )
        });
        reach("before_intent");
        real.settle(Some(&intent), kept.as_deref())?;
        reach("after_intent");
        real.send(group, &self.mark, overtaking, std::mem::take(&mut self.anew))?;
        real.sending = self.parts;
        watch.progress(&self.totals);
        Ok(Some(Instant::now() + GROUP_TIME))
    }

    /// How many records the last whole run of this mapping wrote; `None`: there was none.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn last_whole(&self) -> Result<Option<u64>> {
        let Some(real) = &self.real else { return Ok(None) };
        let filter = RunFilter { route: Some(real.run.route.clone()), limit: LOOK_BACK, ..RunFilter::default() };
        let runs = real.store.borrow().runs(&filter)?;
        let last = runs.iter().find(|run| run.state == RunState::Done && run.mapping == self.mapping);
        Ok(last.map(|run| run.totals.written))
    }

    /// Ends a mirror: what its source has no more is deleted, as a group of its own with an intent of
    /// its own. Only once the whole source was read and every key of it is known.
    ///
    /// Points at which tests kill the process: `before_sweep` (it is intended), `after_sweep` (it took
    /// place, and is not settled), `after_sweep_settle`.
    ///
    /// # Errors
    /// [`Kind::Refused`](crate::error::Kind) if it is more than the guard allows: nothing is deleted
    /// then. Or if the target or the store fails.
    pub fn sweep(&mut self, guard: DeleteGuard, watch: &mut dyn Watch) -> Result<()> {
        let Some(real) = &mut self.real else { return Ok(()) };
        real.collect(&mut self.mark, &mut self.totals, &mut self.reasons, &mut self.rulings)?;
        self.mark.group += 1;
        let anew = std::mem::take(&mut self.anew);
        let intent = Intent {
            group: self.mark.group,
            slices: Vec::new(),
            records: 0,
            content: [0; 32],
            fence: self.mark.fence,
            mapping: self.mapping.clone(),
            replayed: Vec::new(),
            anew,
            sweep: true,
            trace: Trace::default(),
        };
        real.settle(Some(&intent), None)?;
        reach("before_sweep");
        let receipt = real.sweep(self.mark.clone(), guard)?;
        reach("after_sweep");
        self.totals.took(&receipt);
        real.written = Some(swept(&self.mark, receipt, anew));
        real.settle(None, None)?;
        reach("after_sweep_settle");
        watch.progress(&self.totals);
        Ok(())
    }

    /// Ends the target well, once everything there was is written; a full run that read nothing
    /// leaves it as it was. The last group is settled first: a target in its final form whose last
    /// group is not settled could not be told from one that somebody else has changed.
    ///
    /// # Errors
    /// If the target cannot be finished; the next run finishes it.
    pub fn finish(&mut self) -> Result<()> {
        let Some(real) = self.real.as_mut().filter(|_| !self.anew) else { return Ok(()) };
        real.collect(&mut self.mark, &mut self.totals, &mut self.reasons, &mut self.rulings)?;
        real.settle(None, None)?;
        reach("after_settle");
        if let Some(writer) = real.writer.take() {
            let mut sink = writer.end()?;
            if let Some(tenure) = &real.tenure {
                tenure.check()?;
            }
            reach("before_finish");
            sink.finish()?;
        }
        reach("after_finish");
        Ok(())
    }

    /// Settles what is written and records how the run ended. A group in hand that was not
    /// written is given up: the next run reads it again.
    ///
    /// # Errors
    /// If the store fails; the run then stays open and the next one finds it so.
    pub fn end(mut self, mut end: RunEnd) -> Result<(Totals, Vec<Reason>, Rulings)> {
        if let Some(mut real) = self.real.take() {
            // A group that fails now fails after the error that ends the run: that one is told.
            let _ = real.collect(&mut self.mark, &mut self.totals, &mut self.reasons, &mut self.rulings);
            end.settle = real.written.take();
            if let Some(writer) = real.writer.take() {
                writer.end()?.abandon();
            }
            real.store.borrow_mut().finish_run(&real.run, &end)?;
            if end.settle.is_some() {
                real.told();
            }
        }
        self.totals.add(&self.resolved);
        Ok((self.totals, self.reasons.commonest(), self.rulings))
    }
}

impl Real<'_> {
    /// Waits until the target may be called again.
    fn call(&self) {
        if let Some((pace, stop)) = &self.pace {
            pace.call(&|| stop.asked());
        }
    }

    /// Hands a group to the writer.
    fn send(&mut self, group: Group, mark: &Mark, overtaking: Vec<u128>, anew: bool) -> Result<()> {
        self.call();
        let Some(writer) = &mut self.writer else { return Err(Error::bug("the target was finished already")) };
        writer.send(group.batches, mark.clone())?;
        let settle = Settle {
            mark: mark.clone(),
            receipt: Receipt::default(),
            positions: group.positions,
            totals: group.totals,
            rejects: group.rejects,
            replayed: group.replayed,
            overtaking,
            rulings: group.rulings,
            about: group.about,
            kept_back: group.kept_back,
            warnings: Vec::new(),
            anew,
        };
        self.sent = Some(Sent { settle, origins: group.origins, amounts: group.amounts });
        Ok(())
    }

    /// Has the writer sweep; what the guard refuses was never intended.
    fn sweep(&mut self, mark: Mark, guard: DeleteGuard) -> Result<Receipt> {
        self.call();
        let Some(writer) = &mut self.writer else { return Err(Error::bug("the target was finished already")) };
        match writer.sweep(mark, guard) {
            Err(error) if error.code().id == codes::connect::DELETES_GUARDED.id => {
                self.store.borrow_mut().withdraw(&self.run)?;
                Err(error)
            }
            other => other,
        }
    }

    /// Waits for the group that the writer has in hand: then it is to be settled.
    fn collect(
        &mut self,
        mark: &mut Mark,
        totals: &mut Totals,
        reasons: &mut Reasons,
        rulings: &mut Rulings,
    ) -> Result<()> {
        let (Some(writer), Some(sent)) = (&mut self.writer, self.sent.take()) else { return Ok(()) };
        let Sent { mut settle, origins, amounts } = sent;
        let Some(receipt) = writer.wait()? else { return Err(Error::bug("a group was never written")) };
        (mark.length, mark.known) = (receipt.length, receipt.known.clone());
        (settle.mark.length, settle.mark.known) = (receipt.length, receipt.known.clone());
        settle.totals.took(&receipt);
        totals.took(&receipt);
        let refused = refused_sums(&settle.rulings.sums, &receipt, &amounts);
        rulings.add_sums(&refused);
        settle.rulings.add_sums(&refused);
        for letter in refused::letters(&origins, &receipt) {
            reasons.add(&letter);
            settle.rejects.push(letter);
        }
        settle.receipt = receipt;
        self.written = Some(settle);
        self.writing = self.sending;
        Ok(())
    }

    /// Settles what is written and records the intent of the next group, in one transaction. If it
    /// fails, what is written still waits to be settled.
    fn settle(&mut self, intent: Option<&Intent>, kept: Option<&[u8]>) -> Result<()> {
        if self.written.is_some() || intent.is_some() {
            self.store.borrow_mut().step_keeping(&self.run, self.written.as_ref(), intent, kept)?;
            if self.written.take().is_some() {
                self.told();
            }
        }
        Ok(())
    }

    /// What was written is settled now.
    fn told(&self) {
        if let Some(through) = &self.through {
            through.store(self.writing, Ordering::Release);
        }
    }
}

/// What the sums of records come to that the target refused.
fn refused_sums(sums: &[Sum], receipt: &Receipt, amounts: &[Decimal]) -> Vec<Sum> {
    let width = sums.len();
    if width == 0 || receipt.refusals.is_empty() {
        return Vec::new();
    }
    let mut refused: Vec<Sum> = sums
        .iter()
        .map(|sum| Sum { field: sum.field.clone(), read: sum.read.map(|_| Decimal::ZERO), ..Sum::default() })
        .collect();
    for refusal in &receipt.refusals {
        let numbers = amounts.chunks(width).nth(usize::try_from(refusal.record).unwrap_or(usize::MAX));
        for (sum, number) in refused.iter_mut().zip(numbers.unwrap_or_default()) {
            match sum.refused.add(*number) {
                Ok(made) => sum.refused = made,
                Err(_) => sum.unread += 1,
            }
        }
    }
    refused
}

/// What a sweep came to, to be settled.
pub(super) fn swept(mark: &Mark, receipt: Receipt, anew: bool) -> Settle {
    let mut totals = Totals::default();
    totals.took(&receipt);
    Settle {
        mark: mark.clone(),
        receipt,
        positions: Vec::new(),
        totals,
        rejects: Vec::new(),
        replayed: Vec::new(),
        overtaking: Vec::new(),
        rulings: Rulings::default(),
        about: Vec::new(),
        kept_back: Vec::new(),
        warnings: Vec::new(),
        anew,
    }
}
