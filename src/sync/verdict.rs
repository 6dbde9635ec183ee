//! How a run is judged once the road has come to its end: the exit code, and why.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::OnError;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::record::{Decimal, Rulings, Sum, Totals};
use crate::store::{RunEnd, RunState};

use super::pipeline::Ending;
use super::plan::Plan;
use super::road::Options;
use super::signals::Stop;

/// Records that must have been read before a share of them says anything.
const SHARE_FROM: u64 = 1_000;

/// The judgement of a run.
pub struct Verdict {
    /// The exit code.
    pub exit: Exit,
    /// Why it is not 0, unless a signal asked for it.
    pub error: Option<Error>,
    /// What the source had to say.
    pub notes: Vec<String>,
}

/// Whether so many rejects among so many records read are within the mapping's tolerance.
pub fn tolerated(on_error: &OnError, totals: &Totals) -> bool {
    let share = u128::from(totals.read) * u128::from(on_error.tolerate_ppm);
    // What the target refused is as lost to it as what the mapping rejected.
    let rejected = totals.rejected + totals.refused;
    rejected <= on_error.tolerate_records || u128::from(rejected) * 1_000_000 <= share
}

/// Ends a run early: with the limit reached it sets `enough`; with `stop: true` and the tolerance
/// passed it is an error.
///
/// # Errors
/// If the mapping asks for a stop once the tolerance is passed, and it is.
pub fn stop_early(plan: &Plan, options: &Options, totals: &Totals, enough: &AtomicBool) -> Result<()> {
    if options.limit.is_some_and(|limit| totals.read >= limit) {
        enough.store(true, Ordering::Release);
    }
    let on_error = &plan.mapping.sync.on_error;
    let telling = totals.read >= SHARE_FROM || on_error.tolerate_ppm == 0;
    if on_error.stop && telling && !tolerated(on_error, totals) {
        return Err(past_tolerance(plan, totals).hint("`on_error: stop` ends the run here; what was settled stays"));
    }
    Ok(())
}

/// Judges a run that has come to its end, well or not.
pub fn judge(
    plan: &Plan,
    options: &Options,
    ended: Result<Ending>,
    totals: &Totals,
    fresh: bool,
    stop: &Stop,
) -> Verdict {
    let ending = match ended {
        Ok(ending) => ending,
        Err(error) => return Verdict { exit: error.exit(), error: Some(error), notes: Vec::new() },
    };
    let notes = ending.notes;
    if let Some(error) = ending.error {
        return Verdict { exit: error.exit(), error: Some(error), notes };
    }
    if ending.stopped && stop.asked() {
        return Verdict { exit: stop.exit(), error: None, notes };
    }
    let allowed_empty = plan.sweeps() && plan.agreed_deletes(options).is_some();
    let error = if !tolerated(&plan.mapping.sync.on_error, totals) {
        Some(past_tolerance(plan, totals).hint(format!("look at them: consign sync dlq list --route {}", plan.name())))
    } else if totals.read == 0 && options.window.is_some() {
        let cause = format!("no record of {} lies between the bounds", plan.from.shown());
        Some(
            Error::new(Kind::Partial, &codes::sync::NOTHING_READ, cause)
                .hint("`--since` is included, `--until` is not; both are values of the stream's cursor"),
        )
    } else if totals.read == 0 && fresh && options.limit != Some(0) && !allowed_empty {
        Some(
            Error::new(
                Kind::Partial,
                &codes::sync::NOTHING_READ,
                match plan.anew(options) {
                    true => format!("nothing was read from {}: the target was left as it was", plan.from.shown()),
                    false => format!(
                        "nothing was read from {}: a source that was never read before is empty",
                        plan.from.shown()
                    ),
                },
            )
            .hint("check the path or pattern of the stream; if it may be empty, there is nothing to do"),
        )
    } else {
        ending.partial
    };
    Verdict { exit: error.as_ref().map_or(Exit::Done, Error::exit), error, notes }
}

impl Verdict {
    /// A run that leaves records in doubt did not finish whole, whatever the mapping tolerates.
    pub fn doubted(mut self, plan: &Plan, records: u64) -> Self {
        if records > 0 && self.exit == Exit::Done {
            let told = if records == 1 { "1 record".to_owned() } else { format!("{records} records") };
            let cause = format!("nobody knows whether {told} took effect in {}: they were set aside", plan.to.shown());
            let error = Error::new(Kind::Partial, &codes::sync::PARKED, cause)
                .hint(format!("consign sync dlq list --route {} --code {}", plan.name(), codes::sync::PARKED.id))
                .hint("look for them in the target; then replay those that are not there, and discard the others");
            (self.exit, self.error) = (error.exit(), Some(error));
        }
        self
    }

    /// A run whose declared sums do not agree did not finish whole. What agrees is said, where something was
    /// left out on the way.
    pub fn summed(mut self, plan: &Plan, rulings: &Rulings) -> Self {
        for sum in &rulings.sums {
            let left = |number: &Decimal| *number != Decimal::ZERO;
            if let Some((expected, made)) = sum.differs() {
                let cause = format!(
                    "the sums of `{}` do not agree: {expected} was to be written, and {made} was made of it",
                    sum.field
                );
                self.notes.push(cause.clone());
                if self.exit == Exit::Done {
                    let error = Error::new(Kind::Partial, &codes::comply::TOTALS, cause)
                        .fact("read", sum.read.unwrap_or_default())
                        .hint(format!(
                            "compare the values of `{}` in {} and in {}",
                            sum.field,
                            plan.from.shown(),
                            plan.to.shown()
                        ));
                    (self.exit, self.error) = (error.exit(), Some(error));
                }
            } else if [sum.filtered, sum.rejected, sum.withheld, sum.superseded, sum.refused].iter().any(left) {
                self.notes.push(told(sum));
            }
            if sum.unread > 0 {
                let records = if sum.unread == 1 { "1 record".to_owned() } else { format!("{} records", sum.unread) };
                self.notes.push(format!("in {records} `{}` is no number, and is not part of its sums", sum.field));
            }
        }
        self
    }

    /// What the store records of it, with what else there was to say.
    pub fn run_end(&self, notes: &[String]) -> RunEnd {
        let state = match self.exit {
            Exit::Done => RunState::Done,
            Exit::Partial => RunState::Partial,
            Exit::Interrupted | Exit::Terminated => RunState::Interrupted,
            _ => RunState::Failed,
        };
        RunEnd {
            state,
            exit: self.exit.number(),
            error: self.error.as_ref().map(|e| (e.code().id.to_string(), e.to_string())),
            warnings: notes.iter().chain(&self.notes).cloned().collect(),
            calls: Vec::new(),
            settle: None,
        }
    }
}

/// `amount: 100 read = 90 written + 10 rejected`.
fn told(sum: &Sum) -> String {
    let mut text = format!("`{}`: ", sum.field);
    if let Some(read) = sum.read {
        text.push_str(&format!("{read} read = "));
    }
    text.push_str(&format!("{} written", sum.written().unwrap_or_default()));
    let parts = [
        (sum.filtered, "filtered"),
        (sum.rejected, "rejected"),
        (sum.withheld, "withheld"),
        (sum.superseded, "replaced by later ones"),
        (sum.refused, "refused"),
    ];
    for (number, what) in parts.into_iter().filter(|(number, _)| *number != Decimal::ZERO) {
        text.push_str(&format!(" + {number} {what}"));
    }
    text
}

fn past_tolerance(plan: &Plan, totals: &Totals) -> Error {
    let on_error = &plan.mapping.sync.on_error;
    Error::new(
        Kind::Partial,
        &codes::sync::PAST_TOLERANCE,
        format!(
            "{} of {} records were rejected, more than the mapping tolerates",
            totals.rejected + totals.refused,
            totals.read
        ),
    )
    .fact(
        "tolerated",
        format!("{} % or {} records", f64::from(on_error.tolerate_ppm) / 10_000.0, on_error.tolerate_records),
    )
}
