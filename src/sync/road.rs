//! The road on one screen: take over what a crash left, read, work, deliver, end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::config::Mode;
use crate::connect::pace::Paced;
use crate::connect::protocols::Window;
use crate::connect::{Part, Source};
use crate::error::{Error, Exit, Result};
use crate::record::{Rulings, Settled, SliceId, Timestamp, Totals};

use super::begin::{Begun, begin};
use super::delivery::{Delivery, Shared};
use super::middle::Middle;
use super::mirror;
use super::pipeline::{self, Arrival};
use super::plan::Plan;
use super::planned::Bound;
use super::reasons::Reason;
use super::refused::Origins;
use super::room::Room;
use super::signals::Stop;
use super::verdict;
use super::watch::{Silent, Watch};

/// How a route is to be run this time.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Reads, maps, checks and counts; writes nothing anywhere.
    pub dry_run: bool,
    /// At most so many records; a dry run.
    pub limit: Option<u64>,
    /// From the beginning, whatever is settled.
    pub full: bool,
    /// Only what lies between these cursor values; positions stay where they are.
    pub window: Option<Window>,
    /// A person allows a mirror to delete so many records, whatever its guard says, also if the source
    /// turns out to be empty.
    pub allow_deletes: Option<u64>,
    /// The plan that it follows: it reads no further.
    pub plan: Option<Arc<Bound>>,
    /// What made it run: `hand`, `due`, `all`.
    pub cause: &'static str,
    /// Who.
    pub actor: Option<String>,
    /// From where: `terminal`, `cron`, `ci`.
    pub origin: Option<String>,
    /// Worker threads; 0: as many as there is room for.
    pub workers: usize,
    /// How much of the machine may be used.
    pub room: Room,
}

impl Options {
    /// How many workers: as many as there is room for, one alone under a limit so that it is exact.
    pub(super) fn worker_count(&self) -> usize {
        match (self.limit, self.workers) {
            (Some(_), _) => 1,
            (None, 0) => self.room.workers(),
            (None, asked) => asked,
        }
    }

    /// Whether nothing is written.
    pub fn dry(&self) -> bool {
        self.dry_run || self.limit.is_some()
    }
}

/// How a run of a route ended.
#[derive(Debug)]
pub struct Finished {
    /// The run's id; `None` for a dry run.
    pub run: Option<String>,
    /// The route.
    pub route: String,
    /// The exit code it asks for.
    pub exit: Exit,
    /// The counts.
    pub totals: Totals,
    /// Why records were rejected, commonest first.
    pub reasons: Vec<Reason>,
    /// What compliance rules did to records, and the declared sums.
    pub rulings: Rulings,
    /// What was worth a line on the way.
    pub notes: Vec<String>,
    /// What ended it early or leaves it not whole, if something does.
    pub error: Option<Error>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// One route on its way: a target with all that is known of it.
struct Branch<'p, 's> {
    plan: &'p Plan,
    settled: Vec<(SliceId, Settled)>,
    run: Option<String>,
    notes: Vec<String>,
    /// Records of each slice that were read, where a plan says how many there are.
    read: HashMap<SliceId, u64>,
    /// Whether what records were read from is kept.
    keeps: bool,
    /// Parts of what is read that are settled.
    through: Arc<AtomicU64>,
    /// Whether the source is a queue: an empty one is as it should be.
    drains: bool,
    /// `None` once it has ended.
    delivery: Option<Delivery<'s>>,
    /// How it ended.
    finished: Option<Result<Finished>>,
}

/// What all routes of a run have in common.
struct Journey<'r> {
    options: &'r Options,
    now: Timestamp,
    stop: &'r Stop,
    clock: Instant,
    /// What keys of records are hashed with.
    secret: [u8; 16],
}

/// Runs routes that share their source and their mapping from where they stand to the end of what
/// there is: one for each target. What is new to all of them is read once; a target that fails is
/// given up, and the others go on. The caller holds the routes' locks. The answers stand in the
/// order of the plans.
///
/// # Errors
/// An answer is an error if that route could not begin: disabled, target or state unusable. What goes
/// wrong once it has begun is in [`Finished::error`], with the counts of what was settled before.
pub fn run(
    plans: &[Plan],
    store: Option<Shared<'_>>,
    options: &Options,
    now: Timestamp,
    stop: &Stop,
    watch: &mut dyn Watch,
) -> Vec<Result<Finished>> {
    let secret = store.map_or([0; 16], |store| store.borrow().record_secret());
    let journey = Journey { options, now, stop, clock: Instant::now(), secret };
    let mut branches: Vec<Branch<'_, '_>> = plans.iter().map(|plan| journey.begin(plan, store, watch)).collect();
    // Routes that stand at the same point are read for together.
    let mut passes: Vec<Vec<&mut Branch<'_, '_>>> = Vec::new();
    for branch in branches.iter_mut().filter(|branch| branch.delivery.is_some()) {
        let once = branch.plan.reads_once();
        match passes.iter_mut().find(|pass| once || stands_with(pass[0], branch)) {
            Some(pass) => pass.push(branch),
            None => passes.push(vec![branch]),
        }
    }
    for mut pass in passes {
        journey.pass(&mut pass, watch);
    }
    let unended = || Err(Error::bug("a route never ended"));
    branches.into_iter().map(|branch| branch.finished.unwrap_or_else(unended)).collect()
}

impl Journey<'_> {
    fn begin<'p, 's>(&self, plan: &'p Plan, store: Option<Shared<'s>>, watch: &mut dyn Watch) -> Branch<'p, 's> {
        // Before anything is recorded: bounds that make no sense are no run.
        let bounded = self.options.window.as_ref().map_or(Ok(()), |window| plan.between_bounds(window).map(drop));
        let (begun, failed) = match bounded.and_then(|()| begin(plan, store, self.options, self.now, watch)) {
            Ok(begun) => (Some(begun), None),
            Err(error) => (None, Some(Err(error))),
        };
        let mut branch = Branch {
            plan,
            settled: Vec::new(),
            run: None,
            notes: Vec::new(),
            read: HashMap::new(),
            keeps: false,
            through: Arc::default(),
            drains: false,
            delivery: None,
            finished: failed,
        };
        if let Some(Begun { edge, mark, settled, resolved, run, notes }) = begun {
            branch.keeps = plan.keeps_origins() && edge.may_refuse();
            branch.delivery = Some(
                Delivery::new(edge, mark, &settled, &plan.mapping, plan.anew(self.options))
                    .resolved(resolved)
                    .still(self.options.window.is_some())
                    .accounting(plan.accounts)
                    .groups_of(self.options.room.group_bytes())
                    .paced(plan.to.pace.clone(), self.stop.clone())
                    .telling(Arc::clone(&branch.through)),
            );
            // Bounds of a cursor count from nothing: positions stay where they are.
            if self.options.window.is_none() {
                branch.read = settled.iter().map(|(slice, s)| (slice.clone(), s.position.record)).collect();
            }
            (branch.settled, branch.run, branch.notes) = (settled, run, notes);
        }
        branch
    }

    /// Opens what is new, or what was asked for by its bounds.
    fn open(&self, plan: &Plan, settled: &[(SliceId, Settled)]) -> Result<Box<dyn Source>> {
        match &self.options.window {
            Some(window) => plan.between_bounds(window),
            None => plan.source(settled, None),
        }
    }

    /// Reads once for routes that stand at the same point, and ends each of them.
    fn pass(&self, branches: &mut [&mut Branch<'_, '_>], watch: &mut dyn Watch) {
        let mut ends = Vec::with_capacity(branches.len());
        for branch in branches.iter_mut() {
            // What a route cannot be equipped with concerns that route alone.
            match branch.plan.between().and_then(|between| branch.plan.encoder().map(|_| between)) {
                Ok(between) => ends.push(between),
                Err(error) => {
                    ends.push(Arc::from([]));
                    self.end(branch, Err(error), true);
                }
            }
        }
        let settled = known(branches);
        let hurry = self.stop.clone();
        let paced = |source, plan: &Plan| Paced::of(source, plan.from.pace.clone(), Arc::new(move || hurry.asked()));
        let mut source = match branches.first().map(|branch| (branch.plan, self.open(branch.plan, &settled))) {
            Some((plan, Ok(source))) => paced(source, plan),
            Some((_, Err(error))) => {
                branches.iter_mut().for_each(|branch| self.end(branch, Err(error.clone()), true));
                return;
            }
            None => return,
        };
        // What a queue keeps until it is settled goes while it is read, once no route needs it any more.
        let mut receipts = source.acknowledger().map(|to| (to, 0));
        branches.iter_mut().for_each(|branch| branch.drains = receipts.is_some());
        let throughs: Vec<Arc<AtomicU64>> = branches.iter().map(|branch| Arc::clone(&branch.through)).collect();
        let mut acknowledge = || {
            let Some((to, told)) = &mut receipts else { return };
            let through = throughs.iter().map(|through| through.load(Ordering::Acquire)).min().unwrap_or(0);
            if through > std::mem::replace(told, through) {
                to.settled(through);
            }
        };
        let plans: Vec<(&Plan, bool)> = branches.iter().map(|branch| (branch.plan, branch.keeps)).collect();
        // Set once nothing more is to be done for a route, and once for none of them.
        let over: Vec<AtomicBool> = branches.iter().map(|b| AtomicBool::new(b.delivery.is_none())).collect();
        let enough = AtomicBool::new(false);
        let ended = pipeline::run(
            source.as_mut(),
            self.options.worker_count(),
            &|| self.stop.asked() || enough.load(Ordering::Acquire) || over.iter().all(|o| o.load(Ordering::Acquire)),
            || {
                let mut middles = Vec::with_capacity(plans.len());
                for (((plan, keeps), between), over) in plans.iter().zip(&ends).zip(&over) {
                    let middle = match over.load(Ordering::Acquire) {
                        true => None,
                        false => {
                            let (decoder, encoder, route) = (plan.decoder()?, plan.encoder()?, Arc::clone(&plan.route));
                            let middle = Middle::new(route, decoder, encoder, Arc::clone(between), self.now);
                            let middle = middle.limited(self.options.limit).hashing(self.secret).keeping(*keeps);
                            Some(middle.asking(plan.inline.as_ref()).accounting(plan.people))
                        }
                    };
                    middles.push((over, middle));
                }
                Ok(move |part: Part| {
                    let work = |(over, middle): &mut (&AtomicBool, Option<Middle>)| {
                        middle.as_mut().filter(|_| !over.load(Ordering::Acquire)).map(|middle| middle.look(&part))
                    };
                    let mut made = middles.iter_mut().map(work).collect::<Vec<_>>();
                    let done = made.iter_mut().flatten().filter_map(|made| made.as_mut().ok());
                    Origins::share(part, done.filter_map(|done| done.origins.as_mut()));
                    Ok(made)
                })
            },
            |arrival| {
                let quiet = matches!(arrival, Arrival::Quiet);
                let made = match arrival {
                    Arrival::Done(made) => made,
                    Arrival::Quiet => over.iter().map(|_| None).collect(),
                };
                let (mut deadline, mut first, mut silent): (Option<Instant>, _, _) = (None, true, Silent);
                for ((branch, over), done) in branches.iter_mut().zip(&over).zip(made) {
                    let Some(delivery) = &mut branch.delivery else { continue };
                    // One bar for all that is read together.
                    let watch: &mut dyn Watch = if std::mem::take(&mut first) { &mut *watch } else { &mut silent };
                    let step = match done {
                        None if quiet => delivery.quiet(watch),
                        None => Ok(None),
                        Some(done) => done.and_then(|done| {
                            if let Some(bound) = &self.options.plan {
                                bound.admit(
                                    branch.plan.name(),
                                    &done,
                                    branch.read.get(&done.slice).copied().unwrap_or(0),
                                )?;
                                *branch.read.entry(done.slice.clone()).or_default() += done.totals.read;
                            }
                            let deadline = delivery.take(done, watch)?;
                            verdict::stop_early(branch.plan, self.options, delivery.totals(), &enough)?;
                            Ok(deadline)
                        }),
                    };
                    match step {
                        Ok(until) => deadline = [deadline, until].into_iter().flatten().min(),
                        Err(error) => {
                            over.store(true, Ordering::Release);
                            self.end(branch, Err(error), false);
                        }
                    }
                }
                acknowledge();
                Ok(deadline)
            },
        );
        for branch in branches.iter_mut().filter(|branch| branch.delivery.is_some()) {
            let ended = ended.clone().and_then(|mut ending| {
                let Some(delivery) = &mut branch.delivery else { return Ok(ending) };
                delivery.close(watch)?;
                // Who asks for a stop does not want records deleted now, whatever was read.
                ending.stopped |= self.stop.asked() && branch.plan.mapping.sync.mode == Mode::Mirror;
                let finish = mirror::end(branch.plan, self.options, delivery, &mut ending, watch)?;
                if finish && ending.error.is_none() && !ending.stopped {
                    delivery.finish()?;
                }
                Ok(ending)
            });
            self.end(branch, ended, false);
        }
        acknowledge();
        // What the other side keeps until it is settled goes only now, and only if nobody needs it again.
        let settled = |branch: &&mut Branch<'_, '_>| match &branch.finished {
            Some(Ok(finished)) => matches!(finished.exit, Exit::Done | Exit::Partial),
            _ => false,
        };
        let whole = ended.as_ref().is_ok_and(|ending| ending.error.is_none() && !ending.stopped);
        if whole && !self.options.dry() && branches.iter().all(settled) {
            source.acknowledge().iter().for_each(|note| watch.note(note));
        }
    }

    /// Ends a route and judges it. `unbegun`: nothing was read for it, so that its error is the answer.
    fn end(&self, branch: &mut Branch<'_, '_>, ended: Result<pipeline::Ending>, unbegun: bool) {
        let Some(delivery) = branch.delivery.take() else { return };
        let fresh = branch.settled.is_empty() && !branch.drains;
        branch.notes.extend(delivery.drift_notes());
        let verdict = verdict::judge(branch.plan, self.options, ended, delivery.totals(), fresh, self.stop)
            .doubted(branch.plan, delivery.in_doubt())
            .summed(branch.plan, delivery.rulings());
        let run_end = crate::store::RunEnd { calls: branch.plan.calls(), ..verdict.run_end(&branch.notes) };
        branch.finished = Some(delivery.end(run_end).and_then(|(totals, reasons, rulings)| {
            if unbegun {
                return Err(verdict.error.unwrap_or_else(|| Error::bug("a failed run without its error")));
            }
            let mut notes = std::mem::take(&mut branch.notes);
            notes.extend(verdict.notes);
            notes.dedup();
            Ok(Finished {
                run: branch.run.take(),
                route: branch.plan.name().to_string(),
                exit: verdict.exit,
                totals,
                reasons,
                rulings,
                notes,
                error: verdict.error,
                seconds: self.clock.elapsed().as_secs_f64(),
            })
        }));
    }
}

/// Whether what is new to one route is what is new to the other.
fn stands_with(one: &Branch<'_, '_>, other: &Branch<'_, '_>) -> bool {
    one.settled == other.settled && one.plan.reads_like(other.plan)
}

/// Where the routes of a pass stand. What can be read only once has no place to come back to: of it
/// every name that is taken counts, so that what comes now is new to each.
fn known(branches: &[&mut Branch<'_, '_>]) -> Vec<(SliceId, Settled)> {
    let mut known: Vec<(SliceId, Settled)> = Vec::new();
    for (slice, at) in branches.iter().flat_map(|branch| &branch.settled) {
        if !known.iter().any(|(other, _)| other == slice) {
            known.push((slice.clone(), at.clone()));
        }
    }
    known
}
