//! A run foreseen: the same road up to the target's door, where every record is looked up and none
//! is written.

use std::collections::HashMap;
use std::sync::Arc;

use crate::connect::pace::Paced;
use crate::connect::{DeleteGuard, Effects, Part};
use crate::error::{Error, Kind, Result, codes};
use crate::record::{Mark, Settled, SliceId, Timestamp, Totals};
use crate::store::RouteState;

use super::middle::Middle;
use super::pipeline::{self, Arrival};
use super::plan::Plan;
use super::road::Options;
use super::signals::Stop;

/// What a run would do.
#[derive(Debug, Default)]
pub struct Foreseen {
    /// The counts; of what would be written nothing is known here.
    pub totals: Totals,
    /// What would become of the target.
    pub effects: Effects,
    /// Where each slice that is read would stand then.
    pub ends: Vec<(SliceId, Settled)>,
    /// BLAKE3 over what would be sent.
    pub content: [u8; 32],
    /// What was worth a line on the way.
    pub notes: Vec<String>,
}

/// Lets a mirror delete what it wants: here it is only counted.
const UNGUARDED: DeleteGuard = DeleteGuard { share_ppm: 1_000_000, records: u64::MAX };

/// Foresees a run of a route from where it stands. `now` is the moment that mappings compute with.
///
/// # Errors
/// If the source cannot be read to its end, or read twice; if the target cannot be looked at; if a
/// signal asked to stop.
pub fn foresee(
    plan: &Plan,
    log_id: &str,
    state: &RouteState,
    options: &Options,
    now: Timestamp,
    stop: &Stop,
) -> Result<Foreseen> {
    if plan.reads_once() {
        let cause = format!("what is read from {} cannot be read again", plan.from.shown());
        return Err(Error::new(Kind::Invalid, &codes::sync::PLAN_IMPOSSIBLE, cause)
            .hint("write it into a file first, and read that"));
    }
    let anew = plan.anew(options);
    let begins = anew || options.window.is_some();
    let settled: &[(SliceId, Settled)] = if begins { &[] } else { &state.settled };
    let mut sink = plan.rehearsal(log_id, anew)?;
    sink.open(state.mark.as_ref(), state.intent.is_some())?;
    let mut source = match &options.window {
        Some(window) => plan.between_bounds(window)?,
        None => plan.source(settled, None)?,
    };
    let hurry = stop.clone();
    source = Paced::of(source, plan.from.pace.clone(), Arc::new(move || hurry.asked()));
    let between = plan.between()?;
    let mut seen = Foreseen::default();
    let mut records: HashMap<SliceId, u64> =
        settled.iter().map(|(slice, s)| (slice.clone(), s.position.record)).collect();
    let (mut content, mut unkeyed) = (blake3::Hasher::new(), 0);
    let ending = pipeline::run(
        source.as_mut(),
        options.worker_count(),
        &|| stop.asked(),
        || {
            let (decoder, encoder) = (plan.decoder()?, plan.encoder()?);
            let mut middle = Middle::new(Arc::clone(&plan.route), decoder, encoder, Arc::clone(&between), now)
                .asking(plan.inline.as_ref());
            Ok(move |part: Part| middle.work(part))
        },
        |arrival| {
            let Arrival::Done(done) = arrival else { return Ok(None) };
            let record = records.entry(done.slice.clone()).or_default();
            *record += done.end.record;
            let mut position = done.end;
            position.record = *record;
            let end = Settled { position, done: done.last_of_slice };
            match seen.ends.iter_mut().find(|(slice, _)| *slice == done.slice) {
                Some((_, known)) => *known = end,
                None => seen.ends.push((done.slice, end)),
            }
            seen.totals.add(&done.totals);
            unkeyed += done.unkeyed;
            content.update(&done.digest);
            if done.batch.records > 0 || done.batch.seen_records > 0 {
                if let Some(pace) = &plan.to.pace {
                    pace.call(&|| stop.asked());
                }
                add(&mut seen.effects, sink.foresee(&done.batch)?);
            }
            Ok(None)
        },
    )?;
    if let Some(error) = ending.error {
        return Err(error);
    }
    if ending.stopped {
        return Err(Error::new(Kind::Interrupted, &codes::sync::PLAN_IMPOSSIBLE, "a signal ended the look ahead"));
    }
    // A mirror that does not know every key deletes nothing, and nor does an empty one.
    if plan.sweeps() && seen.totals.read > 0 && unkeyed == 0 {
        seen.effects.deleted += sink.sweep(&Mark::default(), UNGUARDED, true)?.deleted;
    }
    sink.abandon();
    seen.content = *content.finalize().as_bytes();
    seen.notes = ending.notes;
    Ok(seen)
}

fn add(sum: &mut Effects, more: Effects) {
    sum.created += more.created;
    sum.updated += more.updated;
    sum.unchanged += more.unchanged;
    sum.unmatched += more.unmatched;
    sum.deleted += more.deleted;
}
