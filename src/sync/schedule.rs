//! When routes are due, and in which order they run.

use std::collections::BTreeMap;

use crate::config::{Mapping, Missed, Schedule, units};
use crate::error::{Error, Kind, Result, codes};
use crate::record::Timestamp;

use crate::config::cron::Cron;

/// What a schedule says at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The latest due time that has passed.
    pub last: Option<Timestamp>,
    /// The next one.
    pub next: Option<Timestamp>,
    /// Whether a run is due now.
    pub now: bool,
}

/// Whether a route is due, given when its last run began.
///
/// A route that never ran is due at once. Of several missed times one run stands in for all;
/// with `missed: skip` a due time lapses when half the way to the next one has passed.
///
/// # Errors
/// If the schedule was not checked before.
pub fn due(schedule: &Schedule, last_begun: Option<Timestamp>, now: Timestamp) -> Result<Due> {
    let cron = Cron::parse(&schedule.cron.value).map_err(|e| Error::bug(format!("unchecked schedule: {e:?}")))?;
    let zone = units::zone(&schedule.timezone).map_err(Error::bug)?;
    let soon = Timestamp { seconds: now.seconds + 1, ..now };
    let (last, next) = (cron.previous_before(soon, &zone), cron.next_after(now, &zone));
    let open = match (last, last_begun) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(last), Some(begun)) => begun < last,
    };
    let lapsed = match (schedule.missed, last, next) {
        (Missed::Skip, Some(last), Some(next)) => (now.seconds - last.seconds) * 2 > next.seconds - last.seconds,
        _ => false,
    };
    Ok(Due { last, next, now: open && !lapsed })
}

/// Puts routes in an order in which each comes after those it names under `after`; else in the
/// order of their names.
///
/// # Errors
/// If they wait for each other in a circle.
pub fn order(mappings: &[Mapping]) -> Result<Vec<&Mapping>> {
    let by_name: BTreeMap<&str, &Mapping> = mappings.iter().map(|m| (m.name.value.as_str(), m)).collect();
    let mut ordered: Vec<&Mapping> = Vec::with_capacity(mappings.len());
    let mut waiting: Vec<&Mapping> = by_name.values().copied().collect();
    while !waiting.is_empty() {
        let ready = |mapping: &&Mapping| {
            mapping.sync.after.iter().all(|name| {
                !by_name.contains_key(name.value.as_str()) || ordered.iter().any(|done| done.name.value == name.value)
            })
        };
        let Some(at) = waiting.iter().position(|m| ready(&m)) else {
            let names: Vec<&str> = waiting.iter().map(|m| m.name.value.as_str()).collect();
            let first = waiting[0].sync.after.first().map(|name| name.place.clone());
            let circle = Error::new(
                Kind::Invalid,
                &codes::sync::ORDER_CIRCLE,
                format!("routes wait for each other: {}", names.join(", ")),
            );
            return Err(match first {
                Some(place) => circle.at(place),
                None => circle,
            });
        };
        ordered.push(waiting.remove(at));
    }
    Ok(ordered)
}
