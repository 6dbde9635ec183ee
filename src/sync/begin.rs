//! The beginning of a run: it is recorded, the target is compared with the store, and whatever a
//! crash left between them is resolved.

use std::sync::Arc;

use crate::connect::Found;
use crate::connect::protocols::Resumption;
use crate::error::{Error, Kind, Result, codes};
use crate::record::{Mark, Receipt, Reject, Rulings, Settled, SliceId, Timestamp, Totals};
use crate::store::failpoint::reach;
use crate::store::{Intent, NewRun, RouteState, Run, RunEnd, RunState, Settle, Store};

use super::delivery::{Edge, Shared, swept};
use super::kept::{self, Kept};
use super::lanes::Lanes;
use super::middle::Middle;
use super::pipeline::{self, Arrival};
use super::plan::Plan;
use super::road::Options;
use super::watch::Watch;

/// A run that has begun.
pub struct Begun<'s> {
    /// Where its groups go.
    pub edge: Edge<'s>,
    /// The mark of the last settled group, under the fence of this run.
    pub mark: Mark,
    /// Where each slice stands.
    pub settled: Vec<(SliceId, Settled)>,
    /// What the group came to that the last run left in doubt and that was resolved now.
    pub resolved: Totals,
    /// The run's id; `None` for a dry run.
    pub run: Option<String>,
    /// What was put right.
    pub notes: Vec<String>,
}

/// Begins a run.
///
/// # Errors
/// If the route is disabled, or target or store cannot be used. The failure is on record.
pub fn begin<'s>(
    plan: &Plan,
    store: Option<Shared<'s>>,
    options: &Options,
    now: Timestamp,
    watch: &mut dyn Watch,
) -> Result<Begun<'s>> {
    let Some(shared) = store else { return Ok(dry(Vec::new())) };
    let store = &mut **shared.borrow_mut();
    let state = store.route(plan.name())?;
    if options.dry() {
        return Ok(dry(if plan.anew(options) { Vec::new() } else { state.settled }));
    }
    if !state.enabled {
        return Err(disabled(plan, &state));
    }
    let mut notes = Vec::new();
    let run = store.begin_run(&new_run(plan, options))?;
    watch.started(&run.id, plan.name());
    match take_over(plan, store, &run, options, now, &mut notes) {
        Ok(Taken { sink, recipe, mark, settled, resolved }) => {
            notes.iter().for_each(|note| watch.note(note));
            let id = run.id.clone();
            let edge = Edge::Real { store: shared, run, sink, recipe };
            Ok(Begun { edge, mark, settled, resolved, run: Some(id), notes })
        }
        Err(error) => {
            let end = RunEnd {
                state: RunState::Failed,
                exit: error.exit().number(),
                error: Some((error.code().id.to_string(), error.to_string())),
                warnings: notes,
                calls: plan.calls(),
                settle: None,
            };
            // The error to report is the first one.
            let _ = store.finish_run(&run, &end);
            Err(error)
        }
    }
}

/// A target that is open, and where it stands.
struct Taken {
    sink: Box<dyn crate::connect::Sink>,
    recipe: Option<String>,
    mark: Mark,
    settled: Vec<(SliceId, Settled)>,
    resolved: Totals,
}

/// Opens the target and resolves the group that was intended and never settled, if there is one.
fn take_over(
    plan: &Plan,
    store: &mut Store,
    run: &Run,
    options: &Options,
    now: Timestamp,
    notes: &mut Vec<String>,
) -> Result<Taken> {
    let state = store.route(plan.name())?;
    let log_id = store.log_id().to_string();
    let anew = plan.anew(options);
    let mut sink = plan.sink(&log_id, anew)?;
    if let Some(tenure) = store.tenure(plan.name()) {
        if let Some(old) = tenure.took() {
            let pid = old.process.pid;
            notes.push(format!("the route was taken over from process {pid}, which was stopped past its deadline"));
        }
        tenure.check()?;
        sink.under(run.fence, &tenure);
    }
    if let Some(intent) = &state.intent {
        sink.doubted(&intent.trace);
    }
    reach("before_open");
    // To a run that was overtaken meanwhile the target looks like somebody else's.
    let found = sink
        .open(state.mark.as_ref(), state.intent.is_some())
        .map_err(|error| store.tenure(plan.name()).and_then(|tenure| tenure.check().err()).unwrap_or(error))?;
    let mut mark = Mark {
        log_id,
        route: plan.name().to_string(),
        group: run.group,
        fence: run.fence,
        length: state.mark.as_ref().and_then(|mark| mark.length),
        known: state.mark.as_ref().and_then(|mark| mark.known.clone()),
    };
    let kept = match &state.intent {
        Some(intent) => store.kept(plan.name(), intent.group)?,
        None => None,
    };
    let mut resolved = Totals::default();
    match (found, state.intent) {
        (Found::Same, Some(intent)) if kept.is_some() => {
            mark.group = intent.group;
            let kept = kept.as_deref().and_then(|bytes| kept::restore(bytes));
            resolved = resolve(sink.as_mut(), store, run, &mark, &intent, kept, notes)?;
        }
        (Found::Ahead, Some(intent)) => {
            mark.group = intent.group;
            let kept = sink.recall()?;
            notes.push(find_out(plan, store, run, &mark, anew, &state.settled, (&intent, kept), now)?);
        }
        (Found::Ahead, None) => return Err(Error::bug("a group is ahead that was never intended")),
        (Found::TakenBack, _) => {
            notes.push("what the last run had written and not settled was taken back from the target".into());
        }
        (Found::Same, _) => {}
    }
    let settled = if anew { Vec::new() } else { store.route(plan.name())?.settled };
    let recipe = sink.keeps_requests()?;
    Ok(Taken { sink, recipe, mark, settled, resolved })
}

/// Brings a group to its end that was kept when it was sent, and was never settled: neither its source
/// nor the mapping is asked again. Says what it came to.
///
/// Points at which tests kill the process: `before_resolve`, `after_resolve` (it is resolved, and not
/// settled).
fn resolve(
    sink: &mut dyn crate::connect::Sink,
    store: &mut Store,
    run: &Run,
    mark: &Mark,
    intent: &Intent,
    kept: Option<Kept>,
    notes: &mut Vec<String>,
) -> Result<Totals> {
    let group = intent.group;
    let Some(kept) = kept else {
        let cause = format!("what was kept of group {group} is not of a form that this version knows");
        return Err(Error::new(Kind::Partial, &codes::sync::DOUBT, cause)
            .hint("run it once with the version of consign that sent it"));
    };
    reach("before_resolve");
    let receipt = sink.resolve(&kept.recipe, &kept.batches, mark)?;
    reach("after_resolve");
    let mut totals = kept.totals;
    totals.took(&receipt);
    let mut rejects = kept.rejects;
    rejects.extend(super::refused::letters(&kept.origins, &receipt));
    if !intent.replayed.is_empty() {
        store.reclaim_letters(run, &intent.replayed)?;
    }
    notes.push(match receipt.in_doubt {
        0 => format!("group {group} was in doubt when the last run died: what became of its records is known now"),
        doubt => format!(
            "group {group} was in doubt when the last run died: {doubt} of its records still are, and were set aside"
        ),
    });
    let settle = Settle {
        mark: mark.clone(),
        receipt,
        positions: intent.slices.clone(),
        totals,
        rejects,
        replayed: intent.replayed.clone(),
        overtaking: kept.overtaking,
        rulings: Rulings::default(),
        about: kept.about,
        kept_back: kept.kept_back,
        warnings: Vec::new(),
        anew: intent.anew,
    };
    store.step(run, Some(&settle), None)?;
    Ok(totals)
}

/// Settles the group that was written before the last run died; says what was done.
fn find_out(
    plan: &Plan,
    store: &mut Store,
    run: &Run,
    mark: &Mark,
    anew: bool,
    settled: &[(SliceId, Settled)],
    (intent, kept): (&Intent, Option<Receipt>),
    now: Timestamp,
) -> Result<String> {
    let group = intent.group;
    if intent.sweep {
        let receipt = kept.unwrap_or_default();
        let gone = receipt.deleted;
        store.step(run, Some(&swept(mark, receipt, intent.anew)), None)?;
        return Ok(format!("the last run died after it had deleted {gone} records of the mirror: that is settled now"));
    }
    let before = if intent.anew { &[] } else { settled };
    // Whose records may come twice: they have a key, or the plan says so.
    let again = plan.mapping.sync.mode.keyed() || plan.resumption() == Resumption::SliceStart;
    let recounted = recount(plan, store, run, mark, before, intent, kept, now);
    let known = match intent.mapping == run.mapping || intent.records == 0 {
        true => recounted,
        // Records that the mapping rejected then and would take now were not written: read with
        // today's mapping they would count as written, and be lost.
        false => recounted.and_then(|_| {
            let cause = format!("group {group} was written under an earlier form of the mapping");
            Err(Error::new(Kind::Partial, &codes::sync::DOUBT, cause)
                .hint("put that form back, run once, then change it; `consign sync show` names its hash"))
        }),
    };
    match known {
        Ok(settle) => {
            store.step(run, Some(&settle), None)?;
            Ok(format!("group {group} was written before the last run died: it is settled now, and not written again"))
        }
        // The same records once more change nothing where they have a key: the group only gets
        // its number, and its records are read again.
        Err(error) if again && error.code().id == codes::sync::DOUBT.id => {
            store.step(run, Some(&empty(mark)), None)?;
            if intent.slices.is_empty() && intent.replayed.is_empty() {
                return Ok(format!(
                    "group {group} was written before the last run died: it was asked for by `--since` and `--until`; ask again to have all of it"
                ));
            }
            Ok(format!("group {group} was written before the last run died: its records are sent once more"))
        }
        // All of it comes again anyway.
        Err(_) if anew => {
            store.step(run, Some(&Settle { positions: intent.slices.clone(), anew: intent.anew, ..empty(mark) }), None)?;
            Ok(format!("group {group} was written before the last run died: it is part of what is read again"))
        }
        Err(error) => Err(error
            .hint(format!(
                "group {group} is in the target, and what became of each of its {} records is not known",
                intent.records
            ))
            .hint(format!(
                "compare the target, then say where to go on: consign sync state set {0} … or consign sync state reset {0}",
                plan.name()
            ))),
    }
}

/// Reads the records of a group again that was written but not settled, to know what became of
/// each: the same bytes, the same mapping, no writing.
fn recount(
    plan: &Plan,
    store: &mut Store,
    run: &Run,
    mark: &Mark,
    settled: &[(SliceId, Settled)],
    intent: &Intent,
    kept: Option<Receipt>,
    now: Timestamp,
) -> Result<Settle> {
    let secret = store.record_secret();
    let (mut lanes, mut origins) = (Lanes::new(None), Vec::new());
    let (mut totals, mut rejects) = (Totals::default(), Vec::<Reject>::new());
    let mut rulings = Rulings::default();
    let (mut about, mut kept_back) = (Vec::new(), Vec::new());
    for (slice, end) in &intent.slices {
        let before = settled.iter().find(|(id, _)| id == slice).map_or(0, |(_, s)| s.position.record);
        let mut read = 0;
        let mut source = plan.source(settled, Some((slice, &end.position)))?;
        let between = plan.between()?;
        let ending = pipeline::run(
            source.as_mut(),
            1,
            &|| false,
            || {
                let (decoder, encoder) = (plan.decoder()?, plan.encoder()?);
                let mut middle =
                    Middle::new(Arc::clone(&plan.route), decoder, encoder, Arc::clone(&between), now).hashing(secret);
                middle = middle.keeping(plan.keeps_origins()).asking(plan.inline.as_ref()).accounting(plan.people);
                Ok(move |part| middle.work(part))
            },
            |arrival| {
                if let Arrival::Done(mut done) = arrival {
                    if plan.accounts {
                        about.extend_from_slice(&done.keys);
                    }
                    about.extend_from_slice(&done.people);
                    kept_back.append(&mut done.kept_back);
                    lanes.pass(&mut done, &mut rejects);
                    rejects.extend(done.rejects.into_iter().map(|mut reject| {
                        reject.record += before + read;
                        reject
                    }));
                    if let Some(mut kept) = done.origins {
                        kept.before = before + read;
                        origins.push(kept);
                    }
                    read += done.totals.read;
                    totals.add(&done.totals);
                    rulings.add(done.rulings);
                }
                Ok(None)
            },
        )?;
        if let Some(error) = ending.error {
            return Err(error);
        }
    }
    if !intent.replayed.is_empty() {
        let (decoder, encoder, between) = (plan.decoder()?, plan.encoder()?, plan.between()?);
        let mut middle = Middle::new(Arc::clone(&plan.route), decoder, encoder, between, now)
            .hashing(secret)
            .keeping(plan.keeps_origins())
            .asking(plan.inline.as_ref())
            .accounting(plan.people);
        for text in store.reclaim_letters(run, &intent.replayed)? {
            let mut done = middle.work(super::replay::part(text))?;
            if plan.accounts {
                about.extend_from_slice(&done.keys);
            }
            about.extend_from_slice(&done.people);
            kept_back.append(&mut done.kept_back);
            totals.add(&done.totals);
            rulings.add(done.rulings);
            origins.extend(done.origins);
        }
    }
    if totals.read != intent.records {
        return Err(Error::new(Kind::Partial, &codes::sync::DOUBT, "the source is not what it was when it was read")
            .fact("records then", intent.records)
            .fact("records now", totals.read));
    }
    let whole = Receipt { written: totals.produced, ..Receipt::default() };
    let all = |kept: &Receipt| kept.written + kept.unchanged + kept.refused + kept.superseded == totals.produced;
    let receipt = Receipt { length: mark.length, known: mark.known.clone(), ..kept.filter(all).unwrap_or(whole) };
    totals.took(&receipt);
    rejects.extend(super::refused::letters(&origins, &receipt));
    Ok(Settle {
        mark: mark.clone(),
        receipt,
        positions: intent.slices.clone(),
        totals,
        rejects,
        replayed: intent.replayed.clone(),
        overtaking: if plan.mapping.sync.mode.keyed() { lanes.cut() } else { Vec::new() },
        rulings,
        about,
        kept_back,
        warnings: Vec::new(),
        anew: intent.anew,
    })
}

fn empty(mark: &Mark) -> Settle {
    swept(mark, Receipt::default(), false)
}

fn dry<'s>(settled: Vec<(SliceId, Settled)>) -> Begun<'s> {
    Begun { edge: Edge::Dry, mark: Mark::default(), settled, resolved: Totals::default(), run: None, notes: Vec::new() }
}

pub(super) fn new_run(plan: &Plan, options: &Options) -> NewRun {
    let (classes, stakes) = super::stakes::of(plan);
    NewRun {
        classes,
        stakes,
        route: plan.name().to_string(),
        project: plan.project.clone(),
        mapping: (plan.mapping.hash.clone(), plan.mapping.canonical.clone()),
        cause: options.cause.to_string(),
        flags: flags(options),
        due_ns: None,
        actor: options.actor.clone(),
        origin: options.origin.clone(),
        plan: options.plan.as_ref().map(|plan| plan.hash.clone()),
        keep_days: plan.mapping.sync.on_error.keep_days,
        keys: plan
            .route
            .keys
            .iter()
            .filter(|key| !key.id.is_empty())
            .map(|key| (key.name.clone(), key.id.clone()))
            .collect(),
        tenant: plan.from.connector.tenant.clone().or_else(|| plan.to.connector.tenant.clone()),
    }
}

/// What was asked for beside the route itself.
fn flags(options: &Options) -> Vec<String> {
    let mut flags: Vec<String> = options.full.then(|| "full".to_string()).into_iter().collect();
    if let Some(window) = &options.window {
        flags.extend(window.since.as_ref().map(|since| format!("since {since}")));
        flags.extend(window.until.as_ref().map(|until| format!("until {until}")));
    }
    flags.extend(options.allow_deletes.map(|records| format!("allow-deletes={records}")));
    flags.extend(options.plan.as_ref().map(|plan| format!("plan={}", plan.hash)));
    flags
}

pub(super) fn disabled(plan: &Plan, state: &RouteState) -> Error {
    let error = Error::new(Kind::Refused, &codes::sync::DISABLED, format!("route `{}` is disabled", plan.name()))
        .hint(format!("consign sync enable {} --reason TEXT", plan.name()));
    match &state.reason {
        Some(reason) => error.fact("reason", reason),
        None => error,
    }
}
