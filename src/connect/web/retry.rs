//! When a failing call is made again, and when a system is left alone for a while.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::budget::nanos;
use crate::connect::pack::limits::Retry;

/// Below so many repetitions their share does not matter.
const FREE: u64 = 10;

/// What is known of the calls so far.
#[derive(Debug, Default)]
pub struct Patience {
    calls: AtomicU64,
    again: AtomicU64,
    breaker: Mutex<Breaker>,
}

/// Whether a system is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is.
    Closed,
    /// Not before this time.
    Open(i64),
    /// One call tries whether it is well again; if nothing is heard of it until then, another does.
    Half(i64),
}

#[derive(Debug)]
struct Breaker {
    state: State,
    /// Failures in a row.
    failures: u32,
    /// How often it opened: who waited through one more gives up.
    opened: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed, failures: 0, opened: 0 }
    }
}

/// What the breaker says to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Go.
    Go,
    /// Wait until then, and ask again with this number.
    Wait(i64, u64),
    /// The system is still not well; ask not before then.
    No(i64),
}

impl Patience {
    /// One more call.
    pub fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether one more repetition is within the budget; counts it if so.
    pub fn again(&self, retry: &Retry) -> bool {
        let calls = self.calls.load(Ordering::Relaxed);
        let most = calls.saturating_mul(u64::from(retry.budget_ppm)) / 1_000_000;
        let most = most.max(FREE);
        self.again.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |made| (made < most).then_some(made + 1)).is_ok()
    }

    /// Asks the breaker. `waited`: the number it gave when it said to wait.
    pub fn leave(&self, retry: &Retry, now: i64, waited: Option<u64>) -> Leave {
        let mut breaker = self.lock();
        match breaker.state {
            State::Closed => Leave::Go,
            State::Open(until) if now < until => match waited.filter(|seen| *seen != breaker.opened) {
                Some(_) => Leave::No(until),
                None => Leave::Wait(until, breaker.opened),
            },
            State::Half(until) if now < until => {
                // The one that tries is soon back.
                Leave::Wait(now.saturating_add(nanos(retry.pause) / 20).min(until), breaker.opened)
            }
            State::Open(_) | State::Half(_) => {
                breaker.state = State::Half(now.saturating_add(nanos(retry.pause)));
                Leave::Go
            }
        }
    }

    /// The system answered as one that is well (whatever it thought of the call).
    pub fn well(&self) {
        let mut breaker = self.lock();
        breaker.failures = 0;
        breaker.state = State::Closed;
    }

    /// It did not.
    pub fn ill(&self, retry: &Retry, now: i64) {
        let mut breaker = self.lock();
        breaker.failures = breaker.failures.saturating_add(1);
        let half = matches!(breaker.state, State::Half(_));
        if half || (breaker.failures >= retry.failures && breaker.state == State::Closed) {
            breaker.state = State::Open(now.saturating_add(nanos(retry.pause)));
            breaker.opened += 1;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pause before try `again` (1: the first repetition). `chance`: 0 to 1.
pub fn pause(retry: &Retry, again: u32, chance: f64) -> Duration {
    let most = retry.base.saturating_mul(1 << again.saturating_sub(1).min(16)).min(retry.cap);
    let share = f64::from(retry.jitter_ppm) / 1e6;
    most.mul_f64(1.0 - share + share * chance.clamp(0.0, 1.0))
}

/// A number from 0 to 1 that nobody foresees.
pub fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    fn retry() -> Retry {
        Retry { failures: 3, pause: Duration::from_secs(10), ..Retry::default() }
    }

    #[test]
    fn the_breaker_opens_lets_one_try_and_closes() {
        let (retry, patience) = (retry(), Patience::default());
        for _ in 0..2 {
            patience.ill(&retry, 0);
            assert_eq!(patience.leave(&retry, 0, None), Leave::Go);
        }
        // What is well in between counts anew.
        patience.well();
        for _ in 0..3 {
            patience.ill(&retry, 0);
        }
        assert_eq!(patience.leave(&retry, S, None), Leave::Wait(10 * S, 1));
        // Its time has come: one goes, the others wait for it.
        assert_eq!(patience.leave(&retry, 10 * S, Some(1)), Leave::Go);
        assert!(matches!(patience.leave(&retry, 10 * S, Some(1)), Leave::Wait(_, 1)));
        // It is not well: who waited gives up, who comes now waits.
        patience.ill(&retry, 11 * S);
        assert_eq!(patience.leave(&retry, 11 * S, Some(1)), Leave::No(21 * S));
        assert_eq!(patience.leave(&retry, 11 * S, None), Leave::Wait(21 * S, 2));
        // The second try is well.
        assert_eq!(patience.leave(&retry, 21 * S, Some(2)), Leave::Go);
        patience.well();
        assert_eq!(patience.leave(&retry, 21 * S, None), Leave::Go);
    }

    #[test]
    fn a_try_that_never_comes_back_is_followed_by_another() {
        let (retry, patience) = (retry(), Patience::default());
        (0..3).for_each(|_| patience.ill(&retry, 0));
        assert_eq!(patience.leave(&retry, 10 * S, None), Leave::Go);
        assert!(matches!(patience.leave(&retry, 19 * S, None), Leave::Wait(..)));
        assert_eq!(patience.leave(&retry, 20 * S, None), Leave::Go);
    }

    #[test]
    fn repetitions_stay_within_their_share() {
        let (retry, patience) = (Retry { budget_ppm: 100_000, ..retry() }, Patience::default());
        (0..200).for_each(|_| patience.call());
        assert_eq!((0..1000).filter(|_| patience.again(&retry)).count(), 20);
        let fresh = Patience::default();
        assert_eq!((0..1000).filter(|_| fresh.again(&retry)).count(), 10);
    }

    #[test]
    fn pauses_double_up_to_their_cap_and_chance_shortens_them() {
        let retry = Retry { base: Duration::from_secs(1), cap: Duration::from_secs(5), jitter_ppm: 500_000, ..retry() };
        let check = |again, chance, millis| {
            assert_eq!(pause(&retry, again, chance), Duration::from_millis(millis), "{again} {chance}");
        };
        check(1, 1.0, 1000);
        check(1, 0.0, 500);
        check(2, 1.0, 2000);
        check(3, 0.5, 3000);
        check(4, 1.0, 5000);
        check(4_000_000, 1.0, 5000);
    }
}
