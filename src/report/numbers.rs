//! The numbers of the runs of a period, gone through once: sums, lengths, errors, columns of charts.

use std::collections::{BTreeMap, HashMap};

use super::document::Cell;
use crate::error::Result;
use crate::record::Calls;
use crate::store::{RunNumbers, RunState, Store};

/// How many columns a chart along time has.
pub(super) const COLUMNS: usize = 24;
/// How many slow runs are named.
const NAMED: usize = 20;

/// What runs came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub done: u64,
    pub partial: u64,
    pub failed: u64,
    pub died: u64,
    pub interrupted: u64,
    pub read: u64,
    pub written: u64,
    pub aside: u64,
    pub bytes: u64,
    pub empty: u64,
    /// Nanoseconds of each that ended by itself.
    pub lengths: Vec<u64>,
    /// All of them together.
    pub busy_ns: u64,
}

impl Sums {
    pub fn add(&mut self, run: &RunNumbers<'_>) {
        match run.state {
            RunState::Done | RunState::Running => self.done += 1,
            RunState::Partial => self.partial += 1,
            RunState::Failed => self.failed += 1,
            RunState::Died => self.died += 1,
            RunState::Interrupted => self.interrupted += 1,
        }
        self.read += run.read;
        self.written += run.written;
        self.aside += run.aside;
        self.bytes += run.bytes;
        self.empty += u64::from(run.read == 0);
        if let Some(ended) = run.ended_ns {
            let length = u64::try_from(ended - run.started_ns).unwrap_or(0);
            self.busy_ns += length;
            self.lengths.push(length);
        }
    }

    pub fn join(&mut self, other: &Self) {
        self.done += other.done;
        self.partial += other.partial;
        self.failed += other.failed;
        self.died += other.died;
        self.interrupted += other.interrupted;
        self.read += other.read;
        self.written += other.written;
        self.aside += other.aside;
        self.bytes += other.bytes;
        self.empty += other.empty;
        self.busy_ns += other.busy_ns;
        self.lengths.extend_from_slice(&other.lengths);
    }

    pub fn runs(&self) -> u64 {
        self.done + self.partial + self.failed + self.died + self.interrupted
    }

    pub fn errors(&self) -> u64 {
        self.failed + self.died
    }

    /// The length that this share of the runs did not exceed: the nearest rank. Sort first.
    pub fn rank(&self, share: f64) -> Option<u64> {
        let rank = (self.lengths.len() as f64 * share).ceil() as usize;
        self.lengths.get(rank.max(1) - 1).copied()
    }

    pub fn mean(&self) -> Option<u64> {
        self.busy_ns.checked_div(self.lengths.len() as u64)
    }

    /// Records read in a second of running.
    pub fn rate(&self) -> Cell {
        match self.busy_ns {
            0 => Cell::Nothing,
            ns => Cell::Number(self.read as f64 / (ns as f64 / 1e9), "records/s"),
        }
    }
}

/// A period gone through.
pub(super) struct Period {
    pub from_ns: i64,
    pub until_ns: i64,
    /// By route.
    pub routes: BTreeMap<String, OfRoute>,
    pub all: Sums,
    /// Runs by column: done, partial, failed.
    pub columns: Vec<[u64; 3]>,
    /// The longest run of each column.
    pub longest: Vec<u64>,
    /// Records written by column.
    pub volume: Vec<u64>,
    /// By code: runs, and when the last of them began.
    pub errors: BTreeMap<String, (u64, i64)>,
    /// The slow ones: length, number.
    pub slow: Vec<(u64, i64)>,
    pub slow_runs: u64,
    pub calls: BTreeMap<String, Calls>,
    pub runs: u64,
}

/// What runs of one route came to.
#[derive(Clone, Debug, Default)]
pub(super) struct OfRoute {
    pub sums: Sums,
    /// Nanoseconds between the ends of runs during which the newer one failed, and all of them.
    pub down_ns: i64,
    pub seen_ns: i64,
    last_end: Option<i64>,
    /// Due times, to tell how far apart they are.
    pub dues: Vec<i64>,
    pub late_ns: i64,
    pub codes: BTreeMap<String, u64>,
    /// The worst state of each column: 0 well, 1 in part, 2 failed.
    pub strip: Vec<Option<u8>>,
}

impl OfRoute {
    pub fn uptime(&self) -> Option<f64> {
        (self.seen_ns > 0).then(|| 1.0 - self.down_ns as f64 / self.seen_ns as f64)
    }

    /// The usual time between two due times.
    pub fn interval(&self) -> Option<i64> {
        let mut gaps: Vec<i64> = self.dues.windows(2).map(|two| two[1] - two[0]).filter(|gap| *gap > 0).collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied()
    }
}

/// Goes through the runs that began in a period; `of`: only of these routes.
pub(super) fn period(
    store: &Store,
    from_ns: i64,
    until_ns: i64,
    slow_ns: i64,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Period> {
    let width = ((until_ns - from_ns) / COLUMNS as i64).max(1);
    let mut period = Period {
        from_ns,
        until_ns,
        routes: BTreeMap::new(),
        all: Sums::default(),
        columns: vec![[0; 3]; COLUMNS],
        longest: vec![0; COLUMNS],
        volume: vec![0; COLUMNS],
        errors: BTreeMap::new(),
        slow: Vec::new(),
        slow_runs: 0,
        calls: BTreeMap::new(),
        runs: 0,
    };
    // Looked up without making a name.
    let mut kept: Vec<(String, bool, OfRoute)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    store.each_run(from_ns, until_ns, |run| {
        let at = match places.get(run.route) {
            Some(at) => *at,
            None => {
                let fresh = OfRoute { strip: vec![None; COLUMNS], ..OfRoute::default() };
                kept.push((run.route.to_string(), wanted(run.route), fresh));
                places.insert(run.route.to_string(), kept.len() - 1);
                kept.len() - 1
            }
        };
        let (_, is_wanted, route) = &mut kept[at];
        if !*is_wanted {
            return;
        }
        period.runs += 1;
        route.sums.add(run);
        let column = (((run.started_ns - from_ns) / width) as usize).min(COLUMNS - 1);
        let bad = match run.state {
            RunState::Done | RunState::Running => 0,
            RunState::Partial | RunState::Interrupted => 1,
            RunState::Failed | RunState::Died => 2,
        };
        period.columns[column][usize::from(bad)] += 1;
        period.volume[column] += run.written;
        route.strip[column] = route.strip[column].max(Some(bad));
        if let Some(code) = run.error_code {
            match route.codes.get_mut(code) {
                Some(count) => *count += 1,
                None => drop(route.codes.insert(code.to_string(), 1)),
            }
            match period.errors.get_mut(code) {
                Some(seen) => *seen = (seen.0 + 1, run.started_ns),
                None => drop(period.errors.insert(code.to_string(), (1, run.started_ns))),
            }
        }
        if let Some(due) = run.due_ns {
            route.dues.push(due);
            route.late_ns = route.late_ns.max(run.started_ns - due);
        }
        // Until the next run ends, the route is as its last run left it.
        let end = run.ended_ns.unwrap_or(run.started_ns);
        let since = route.last_end.unwrap_or(run.started_ns);
        let span = (end - since).max(1);
        route.seen_ns += span;
        route.down_ns += if bad == 2 { span } else { 0 };
        route.last_end = Some(end);
        if let Some(ended) = run.ended_ns {
            let length = u64::try_from(ended - run.started_ns).unwrap_or(0);
            period.longest[column] = period.longest[column].max(length);
            if length as i64 >= slow_ns {
                period.slow_runs += 1;
                // The slowest few, the newer first among equals.
                let entry = (length, run.number);
                if period.slow.len() < NAMED || period.slow.last().is_some_and(|least| entry > *least) {
                    let place = period.slow.partition_point(|known| *known > entry);
                    period.slow.insert(place, entry);
                    period.slow.truncate(NAMED);
                }
            }
        }
    })?;
    for (name, is_wanted, mut route) in kept {
        if is_wanted {
            route.sums.lengths.sort_unstable();
            period.all.join(&route.sums);
            period.routes.insert(name, route);
        }
    }
    // They are put together from parts that are in order, which this way of sorting makes use of.
    period.all.lengths.sort();
    for told in store.run_calls(from_ns, until_ns)? {
        period.calls.entry(told.connector).or_default().add(&told.calls);
    }
    Ok(period)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run of that many seconds that wrote all it read.
    pub(in crate::report) fn run(state: RunState, started_s: i64, seconds: i64, read: u64) -> RunNumbers<'static> {
        let started_ns = started_s * 1_000_000_000;
        RunNumbers {
            number: started_s,
            started_ns,
            ended_ns: Some(started_ns + seconds * 1_000_000_000),
            due_ns: None,
            route: "r",
            state,
            read,
            written: read,
            aside: 0,
            bytes: 0,
            error_code: None,
        }
    }

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let mut sums = Sums::default();
        for seconds in 1..=100 {
            sums.add(&run(RunState::Done, seconds, seconds, 10));
        }
        sums.lengths.sort_unstable();
        let check = |share: f64, seconds: u64| assert_eq!(sums.rank(share), Some(seconds * 1_000_000_000), "{share}");
        check(0.5, 50);
        check(0.95, 95);
        check(0.99, 99);
        check(1.0, 100);
        check(0.0, 1);
        assert_eq!(Sums::default().rank(0.5), None);
        assert_eq!(sums.mean(), Some(50_500_000_000));
        assert_eq!(sums.rate(), Cell::Number(1000.0 / 5050.0, "records/s"));
    }
}
