//! The road on one screen: take over what a crash left, read, work, deliver, end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::error::{Error, Exit, Result};
use crate::record::{Timestamp, Totals};
use crate::store::Store;

use super::begin::{Begun, begin};
use super::delivery::Delivery;
use super::middle::Middle;
use super::pipeline::{self, Arrival};
use super::plan::Plan;
use super::reasons::Reason;
use super::signals::Stop;
use super::verdict;
use super::watch::Watch;

/// How a route is to be run this time.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Reads, maps, checks and counts; writes nothing anywhere.
    pub dry_run: bool,
    /// At most so many records; a dry run.
    pub limit: Option<u64>,
    /// From the beginning, whatever is settled.
    pub full: bool,
    /// What made it run: `hand`, `due`, `all`.
    pub cause: &'static str,
    /// Who.
    pub actor: Option<String>,
    /// From where: `terminal`, `cron`, `ci`.
    pub origin: Option<String>,
    /// Worker threads; 0: one per core.
    pub workers: usize,
}

impl Options {
    /// How many workers: one per core, one alone under a limit so that it is exact.
    fn worker_count(&self) -> usize {
        match (self.limit, self.workers) {
            (Some(_), _) => 1,
            (None, 0) => std::thread::available_parallelism().map_or(1, usize::from),
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
    /// What was worth a line on the way.
    pub notes: Vec<String>,
    /// What ended it early or leaves it not whole, if something does.
    pub error: Option<Error>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Runs one route from where it stands to the end of what there is. The caller holds the
/// route's lock.
///
/// # Errors
/// If the run could not begin: disabled, target or state unusable. What goes wrong once it has
/// begun is in [`Finished::error`], with the counts of what was settled before.
pub fn run(
    plan: &Plan,
    store: Option<&mut Store>,
    options: &Options,
    now: Timestamp,
    stop: &Stop,
    watch: &mut dyn Watch,
) -> Result<Finished> {
    let clock = Instant::now();
    let Begun { edge, mark, settled, run, mut notes } = begin(plan, store, options, now, watch)?;
    let fresh = settled.is_empty();
    // Set once the limit is reached.
    let enough = AtomicBool::new(false);
    let mut delivery = Delivery::new(edge, mark, &settled, &plan.mapping, options.full);
    let (mut source, between) = match plan.source(&settled, None).and_then(|s| Ok((s, plan.between()?))) {
        Ok(ends) => ends,
        Err(error) => {
            let verdict = verdict::judge(plan, options, Err(error), delivery.totals(), fresh, stop);
            delivery.end(verdict.run_end(&notes))?;
            return Err(verdict.error.unwrap_or_else(|| Error::bug("a failed run without its error")));
        }
    };

    let ended = pipeline::run(
        source.as_mut(),
        options.worker_count(),
        &|| stop.asked() || enough.load(Ordering::Acquire),
        || {
            let middle =
                Middle::new(Arc::clone(&plan.route), plan.decoder()?, plan.encoder()?, Arc::clone(&between), now);
            let mut middle = middle.limited(options.limit);
            Ok(move |part| middle.work(part))
        },
        |arrival| match arrival {
            Arrival::Quiet => delivery.close(watch),
            Arrival::Done(done) => {
                let deadline = delivery.take(done, watch)?;
                verdict::stop_early(plan, options, delivery.totals(), &enough)?;
                Ok(deadline)
            }
        },
    );
    let ended = ended.and_then(|ending| {
        delivery.close(watch)?;
        if ending.error.is_none() && !ending.stopped {
            delivery.finish()?;
        }
        Ok(ending)
    });
    let verdict = verdict::judge(plan, options, ended, delivery.totals(), fresh, stop);
    let (totals, reasons) = delivery.end(verdict.run_end(&notes))?;
    notes.extend(verdict.notes);
    notes.dedup();
    Ok(Finished {
        run,
        route: plan.name().to_string(),
        exit: verdict.exit,
        totals,
        reasons,
        notes,
        error: verdict.error,
        seconds: clock.elapsed().as_secs_f64(),
    })
}
