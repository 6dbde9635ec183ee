//! The end of a mirror: the target becomes what the source is, if all of the source is known.

use crate::config::Mode;
use crate::error::{Error, Kind, Result, codes};

use super::delivery::Delivery;
use super::pipeline::Ending;
use super::plan::Plan;
use super::road::Options;
use super::verdict::tolerated;
use super::watch::Watch;

/// Deletes what the source has no more, unless that cannot be known; says whether the target may be
/// finished. What is not a mirror may.
///
/// # Errors
/// As for [`Delivery::sweep`]; for a file if it would have fewer records than it had by more than the
/// guard allows.
pub(super) fn end(
    plan: &Plan,
    options: &Options,
    delivery: &mut Delivery<'_>,
    ending: &mut Ending,
    watch: &mut dyn Watch,
) -> Result<bool> {
    if plan.mapping.sync.mode != Mode::Mirror || options.dry() {
        return Ok(true);
    }
    let kept = |why: &str| match plan.sweeps() {
        true => format!("nothing was deleted from the mirror: {why}"),
        false => format!("the file was left as it was: {why}"),
    };
    if ending.error.is_some() || ending.stopped {
        let why = if ending.stopped { "the run was stopped" } else { "the source was not read to its end" };
        ending.notes.push(kept(why));
        return Ok(false);
    }
    if !plan.sweeps() {
        // A file has no records to be kept one by one: one that is missing in the new one is gone.
        let good = tolerated(&plan.mapping.sync.on_error, delivery.totals());
        if !good {
            ending.notes.push(kept("more records were rejected than the mapping tolerates"));
        } else if let Some(before) = delivery.last_whole()?
            && delivery.totals().read > 0
        {
            // The last group is still on its way into the file.
            let gone = before.saturating_sub(delivery.totals().produced);
            plan.guard(options).check(gone, before)?;
        }
        return Ok(good);
    }
    if delivery.totals().read == 0 && plan.agreed_deletes(options).is_none() {
        ending.notes.push(kept("the source is empty"));
        return Ok(true);
    }
    match delivery.unkeyed() {
        0 => delivery.sweep(plan.guard(options), watch)?,
        unkeyed => {
            let what = if unkeyed == 1 { "1 record".to_string() } else { format!("{unkeyed} records") };
            let why = format!("the key of {what} cannot be told");
            if !tolerated(&plan.mapping.sync.on_error, delivery.totals()) {
                // What the run ends with is that; this is to be said too.
                ending.notes.push(kept(&why));
            }
            ending.partial = Some(Error::new(Kind::Partial, &codes::sync::NOTHING_SWEPT, kept(&why)).hint(format!(
                "look at them: consign sync dlq list --route {}; what was read was written",
                plan.name()
            )));
        }
    }
    Ok(true)
}
