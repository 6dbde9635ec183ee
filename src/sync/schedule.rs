//! When routes are due, and in which order they run.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::{Cron, Mapping, Missed, Schedule, zone};
use crate::error::{Error, Kind, Result, codes};

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
    let unchecked = |what: String| Error::bug(format!("the schedule was not checked: {what}"));
    let cron = Cron::parse(&schedule.cron.value).map_err(|e| unchecked(e.cause))?;
    let zone = zone(&schedule.timezone).map_err(unchecked)?;
    let soon = now.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(now);
    let (last, next) = (cron.previous_before(soon, &zone), cron.next_after(now, &zone));
    let open = match (last, last_begun) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(last), Some(begun)) => begun < last,
    };
    let lapsed = match (schedule.missed, last, next) {
        (Missed::Skip, Some(last), Some(next)) => now.duration_since(last) * 2 > next.duration_since(last),
        _ => false,
    };
    Ok(Due { last, next, now: open && !lapsed })
}

/// The moment of a count of nanoseconds since 1970.
pub fn moment(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Puts routes in an order in which each comes after those it names under `after`; else in the
/// order of their names.
///
/// # Errors
/// If they wait for each other in a circle.
pub fn order(mappings: &[Mapping]) -> Result<Vec<&Mapping>> {
    // Targets of one mapping stay together, in its own order.
    let mut by_name: BTreeMap<&str, Vec<&Mapping>> = BTreeMap::new();
    for mapping in mappings {
        by_name.entry(mapping.family.as_str()).or_default().push(mapping);
    }
    let mut ordered: Vec<&Mapping> = Vec::with_capacity(mappings.len());
    let mut waiting: Vec<&Mapping> = by_name.into_values().flatten().collect();
    while !waiting.is_empty() {
        let ready = |mapping: &&Mapping| {
            mapping.sync.after.iter().all(|name| !waiting.iter().any(|other| other.family == name.value))
        };
        let Some(at) = waiting.iter().position(ready) else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Spanned;
    use crate::error::Place;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(cron: &str, missed: Missed) -> Schedule {
        let place = Place { file: "m.yaml".into(), line: 1, column: 1, width: 1, source: String::new() };
        Schedule { cron: Spanned { value: cron.into(), place }, timezone: "Europe/Berlin".into(), missed }
    }

    #[test]
    fn missed_runs_are_made_up_once() {
        let plan = schedule("0 3 * * *", Missed::Once);
        let now = at("2026-07-10T12:00:00Z");
        assert!(due(&plan, None, now).unwrap().now, "never ran");
        assert!(due(&plan, Some(at("2026-07-01T01:00:00Z")), now).unwrap().now, "nine times missed");
        let begun = Some(at("2026-07-10T01:00:00Z"));
        let seen = due(&plan, begun, now).unwrap();
        assert!(!seen.now, "ran at the due time itself");
        assert_eq!((seen.last, seen.next), (Some(at("2026-07-10T01:00:00Z")), Some(at("2026-07-11T01:00:00Z"))));
    }

    #[test]
    fn skipped_times_lapse() {
        let plan = schedule("0 3 * * *", Missed::Skip);
        let before = Some(at("2026-07-01T01:00:00Z"));
        assert!(due(&plan, before, at("2026-07-10T01:05:00Z")).unwrap().now);
        assert!(!due(&plan, before, at("2026-07-10T14:00:00Z")).unwrap().now);
    }
}
