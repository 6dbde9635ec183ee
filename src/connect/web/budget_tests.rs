//! Budgets on a clock of their own: what is asked for at once, what other processes hold, what a killed one leaves.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::connect::web::wire::{Answer, Request, Unanswered};
use proptest::prelude::*;

const S: i64 = 1_000_000_000;

/// A wire whose time goes on only while somebody waits.
#[derive(Default)]
pub(crate) struct Hands(pub(crate) AtomicI64);

impl Wire for Hands {
    fn send(
        &self,
        _: Request,
    ) -> std::pin::Pin<Box<dyn Future<Output = std::result::Result<Answer, Unanswered>> + Send + '_>> {
        unreachable!("nothing is sent")
    }

    fn pause(&self, time: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.fetch_add(nanos(time), Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.0.load(Ordering::Relaxed))).unwrap()
    }
}

fn meter(rate: Option<Rate>, shared: Option<Budget>) -> Meter {
    Meter { rate, shared, places: Semaphore::new(4), most: 4, state: Mutex::default() }
}

/// Calls as often as it may, and says when.
fn calls(meters: &[&Meter], count: usize) -> Vec<i64> {
    // Each of them has its own time, and calls as soon as its last call was made.
    let mut clocks = vec![1000 * S; meters.len()];
    let mut made = Vec::new();
    for _ in 0..count {
        let first = (0..meters.len()).min_by_key(|at| clocks[*at]).unwrap();
        let due = meters[first].take(clocks[first], 1, i64::MAX).unwrap().unwrap();
        clocks[first] = clocks[first].max(due);
        made.push(clocks[first]);
    }
    made.sort_unstable();
    made
}

/// Most calls in any window of that length.
fn most(calls: &[i64], window: i64) -> usize {
    (0..calls.len()).map(|n| calls[n..].iter().take_while(|at| **at < calls[n] + window).count()).max().unwrap_or(0)
}

#[test]
fn in_no_window_are_there_more_than_allowed() {
    for (units, per, burst) in [(1, 1, 1), (7, 1, 1), (100, 60, 1), (100, 60, 10), (2, 1, 40)] {
        let meter = meter(Some(Rate::new(units, Duration::from_secs(per), burst)), None);
        let made = calls(&[&meter], 500);
        let window = i64::try_from(per).unwrap() * S;
        let allowed = usize::try_from(units + burst - 1).unwrap();
        assert!(most(&made, window) <= allowed, "{units} in {per} s: {}", most(&made, window));
        // Nor is it slower than it must be.
        let least = (500 - i64::try_from(burst).unwrap()) * window / i64::try_from(units).unwrap();
        assert!(made[499] - made[0] <= least + window, "{units} in {per} s");
    }
}

#[test]
fn processes_share_a_budget_and_lose_little() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Some(Budget::open(folder.path(), "b").unwrap());
    let rate = Some(Rate::new(100, Duration::from_secs(1), 1));
    let (one, other) = (meter(rate, open()), meter(rate, open()));
    let made = calls(&[&one, &other], 1000);
    assert!(most(&made, S) <= 101, "{}", most(&made, S));
    assert!(made[999] - made[0] <= 12 * S, "{}", made[999] - made[0]);
    // One that calls rarely takes little from one that calls all the time.
    let (rare, busy) = (meter(rate, open()), meter(rate, open()));
    let (mut seldom, mut count) = (2000 * S, 0);
    let mut now = 2000 * S;
    while now < 2010 * S {
        if seldom <= now {
            seldom = rare.take(seldom, 1, i64::MAX).unwrap().unwrap() + S / 5;
        }
        now = now.max(busy.take(now, 1, i64::MAX).unwrap().unwrap());
        count += 1;
    }
    assert!((900..=1001).contains(&count), "{count}");
    // One is killed with a slice in hand: the other waits for no more than that.
    drop(one);
    let now = now.max(made[999]);
    let due = other.take(now, 1, i64::MAX).unwrap().unwrap();
    assert!(due - now <= 2 * SLICE, "{}", due - now);
}

#[test]
fn what_the_system_says_is_left_is_heeded() {
    let meter = meter(None, None);
    let now = 50 * S;
    let said = |remaining, reset| Quota { remaining: Some(remaining), of: Some(100.0), reset };
    // Two are left, and one of them is under way.
    meter.take(now, 1, i64::MAX).unwrap().unwrap();
    meter.tell(now, said(2.0, Some(Duration::from_secs(30))), None);
    assert_eq!(meter.take(now, 1, i64::MAX).unwrap(), Ok(now));
    assert_eq!(meter.take(now, 1, i64::MAX).unwrap(), Ok(now + 30 * S));
    // Later than anybody waits.
    assert_eq!(meter.take(now, 1, now + S).unwrap(), Err(now + 30 * S));
    // A bucket that fills at 50 points a second.
    meter.over(3);
    meter.tell(now, said(10.0, None), Some(50.0));
    assert_eq!(meter.take(now, 60, i64::MAX).unwrap(), Ok(now + S));
    // More than there ever is: as soon as it is full.
    meter.over(60);
    meter.tell(now, said(100.0, None), Some(50.0));
    assert_eq!(meter.take(now, 1000, i64::MAX).unwrap(), Ok(now));
    // Nothing says when: it is not for us to wait.
    meter.over(1000);
    meter.tell(now, said(0.0, None), None);
    assert_eq!(meter.take(now, 1, i64::MAX).unwrap(), Ok(now));
}

#[test]
fn what_a_call_really_cost_is_made_good() {
    let meter = meter(Some(Rate::new(10, Duration::from_secs(1), 1)), None);
    meter.take(0, 1, i64::MAX).unwrap().unwrap();
    meter.settle(1, 21.0);
    assert_eq!(meter.take(0, 1, i64::MAX).unwrap(), Ok(S / 10 + 2 * S));
    meter.settle(1, f64::NAN);
    meter.settle(1, -1e300);
    assert!(meter.take(0, 1, i64::MAX).unwrap().is_ok());
}

#[test]
fn a_pause_holds_for_all_of_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { general: Bucket::default(), in_flight: 2, buckets: Vec::new(), account: None };
    let one = Gate::new("a", &limits, None, Some(folder.path().to_path_buf())).unwrap();
    let other = Gate::new("a", &limits, None, Some(folder.path().to_path_buf())).unwrap();
    let hands = Hands(AtomicI64::new(10 * S));
    let runtime = crate::connect::runtime::Runtime::start("test").unwrap();
    let patience = Duration::from_secs(60);
    one.pause(None, 20 * S);
    assert!(runtime.run(one.enter(None, 1, patience, &hands)).unwrap().is_ok());
    assert_eq!(hands.0.load(Ordering::Relaxed), 20 * S);
    hands.0.store(10 * S, Ordering::Relaxed);
    assert!(runtime.run(other.enter(None, 1, patience, &hands)).unwrap().is_ok());
    assert_eq!(hands.0.load(Ordering::Relaxed), 20 * S, "another process heard of it");
    other.pause(None, 500 * S);
    assert_eq!(runtime.run(other.enter(None, 1, patience, &hands)).unwrap().unwrap_err(), 500 * S);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("CONSIGN_SOAK").is_some() { 2000 } else { 60 }))]
    #[test]
    fn hostile_numbers_stop_nobody_for_ever(
        remaining in any::<f64>(), of in any::<Option<f64>>(), restore in any::<Option<f64>>(), cost in 1..1_000_000_u32, actual in any::<f64>(),
    ) {
        let meter = meter(Some(Rate::new(10, Duration::from_secs(1), 1)), None);
        let _ = meter.take(S, cost, i64::MAX).unwrap();
        meter.tell(S, Quota { remaining: Some(remaining), of, reset: Some(Duration::from_secs(5)) }, restore);
        meter.settle(cost, actual);
        meter.over(cost);
        // It may take long, then that is said; after the reset it is forgotten.
        let _ = meter.take(S, cost, 100 * S).unwrap();
        let _ = meter.take(10 * S, 1, i64::MAX).unwrap();
    }
}
