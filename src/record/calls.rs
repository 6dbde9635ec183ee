//! Calls to a system, counted: how many, how long they took, how often they were repeated or had to
//! wait. Counted where calls are made, kept with the run, told by reports.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many lengths are told apart, from below a millisecond on, two for each doubling.
const STEPS: usize = 48;

/// What calls came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Requests that were sent, repeated ones included.
    pub calls: u64,
    /// Those that repeated one before.
    pub retries: u64,
    /// Those that were answered with "not now": too many, quota spent.
    pub throttled: u64,
    /// Those without a good answer, throttled ones included.
    pub failed: u64,
    /// Nanoseconds spent waiting: for a limit, for what the system asked, before a repetition.
    pub waited_ns: u64,
    /// Nanoseconds from sending to the last byte, of all that were answered.
    pub took_ns: u64,
    /// The longest of them.
    pub slowest_ns: u64,
    /// How many took how long: of less than a millisecond, then two steps for each doubling.
    spread: [u64; STEPS],
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            calls: 0,
            retries: 0,
            throttled: 0,
            failed: 0,
            waited_ns: 0,
            took_ns: 0,
            slowest_ns: 0,
            spread: [0; STEPS],
        }
    }
}

impl Calls {
    /// Counts the length of one that was answered.
    pub fn took(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.took_ns = self.took_ns.saturating_add(ns);
        self.slowest_ns = self.slowest_ns.max(ns);
        self.spread[step(ns)] += 1;
    }

    /// Adds what others came to.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.retries += other.retries;
        self.throttled += other.throttled;
        self.failed += other.failed;
        self.waited_ns = self.waited_ns.saturating_add(other.waited_ns);
        self.took_ns = self.took_ns.saturating_add(other.took_ns);
        self.slowest_ns = self.slowest_ns.max(other.slowest_ns);
        self.spread.iter_mut().zip(other.spread).for_each(|(own, other)| *own += other);
    }

    /// The length in nanoseconds that this share of the answered calls did not exceed, up to the width of
    /// a step (41 %); `None`: none was answered.
    pub fn quantile_ns(&self, share: f64) -> Option<u64> {
        let all: u64 = self.spread.iter().sum();
        let wanted = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.spread.iter().enumerate() {
            seen += count;
            if all > 0 && seen >= wanted {
                return Some(end_of(index).min(self.slowest_ns));
            }
        }
        None
    }

    /// The spread as text: `step:count` where there are some.
    pub fn spread_text(&self) -> String {
        let filled = self.spread.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, count)| format!("{index}:{count}")).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`Self::spread_text`] wrote; what cannot be read is left out.
    pub fn read_spread(&mut self, text: &str) {
        for (index, count) in text.split(' ').filter_map(|part| part.split_once(':')) {
            if let (Ok(index), Ok(count)) = (index.parse::<usize>(), count.parse::<u64>())
                && index < STEPS
            {
                self.spread[index] = self.spread[index].saturating_add(count);
            }
        }
    }
}

/// The step of a length: 0 below 1 ms, then two for each doubling.
fn step(ns: u64) -> usize {
    let (mut index, mut end) = (0, 1_000_000_u64);
    while index + 1 < STEPS && ns >= end {
        index += 1;
        end = end_of(index);
    }
    index
}

/// Where a step ends, nanoseconds: 1 ms, 1.5 ms, 2 ms, 3 ms, 4 ms, 6 ms …
fn end_of(index: usize) -> u64 {
    let doubled = 1_000_000_u64 << (index / 2);
    if index.is_multiple_of(2) { doubled } else { doubled + doubled / 2 }
}

/// Counts the calls of one run to one system; its copies count together.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Calls>>);

impl Meter {
    /// Counts.
    pub fn count(&self, change: impl FnOnce(&mut Calls)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts time that was spent waiting.
    pub fn waited(&self, time: Duration) {
        self.count(|calls| {
            calls.waited_ns = calls.waited_ns.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        });
    }

    /// What was counted, which is nothing from then on.
    pub fn take(&self) -> Calls {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_lengths_to_a_step() {
        let mut calls = Calls::default();
        assert_eq!(calls.quantile_ns(0.5), None);
        for ms in 1..=1000 {
            calls.took(Duration::from_millis(ms));
        }
        let check = |share: f64, exact: f64| {
            let told = calls.quantile_ns(share).unwrap() as f64 / 1e6;
            assert!(told >= exact && told <= exact * 1.5, "{share}: {told} for {exact}");
        };
        check(0.5, 500.0);
        check(0.95, 950.0);
        check(0.99, 990.0);
        assert_eq!(calls.quantile_ns(1.0), Some(1_000_000_000), "never more than the slowest");
        calls.took(Duration::from_secs(86_400 * 365));
        assert_eq!(calls.slowest_ns, 86_400 * 365 * 1_000_000_000);
    }

    #[test]
    fn a_spread_is_read_as_it_was_written() {
        let mut calls = Calls::default();
        for ms in [0, 1, 3, 77, 30_000, 90_000_000] {
            calls.took(Duration::from_millis(ms));
        }
        let mut read = Calls { took_ns: calls.took_ns, slowest_ns: calls.slowest_ns, ..Calls::default() };
        read.read_spread(&calls.spread_text());
        assert_eq!(read, calls);
        read.read_spread("99:1 x:y 3 :");
        assert_eq!(read, calls, "what makes no sense is left out");
    }
}
