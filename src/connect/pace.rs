//! No more calls to a system than it allows: a connector with a limit is called in even steps, by all
//! routes of this process together.
//!
//! A call is what goes to a server and comes back: a part that is read, a group that is written. They
//! come evenly, never in a burst, so that in no minute there are more than allowed, wherever one begins
//! to count.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::{Acknowledge, Part, Source};
use crate::config::Connector;
use crate::connect::protocols;
use crate::error::Result;

/// While it waits, it looks this often whether it is to go on at once.
const LOOK: Duration = Duration::from_millis(100);

/// What makes a run impatient: somebody asked it to stop.
pub type Hurry = Arc<dyn Fn() -> bool + Send + Sync>;

/// The pace at which one system is called.
pub struct Pace {
    /// Between two calls.
    step: Duration,
    /// When the next call may be made.
    next: Mutex<Option<Instant>>,
    time: Box<dyn Time>,
}

/// Every pace in use, by the name of the connector and its calls in a minute.
type Paces = BTreeMap<(String, u32), Arc<Pace>>;

/// A clock that can be waited on.
trait Time: Send + Sync {
    fn now(&self) -> Instant;
    fn wait(&self, time: Duration);
}

struct System;

impl Time for System {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wait(&self, time: Duration) {
        std::thread::park_timeout(time);
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pace({:?})", self.step)
    }
}

impl Pace {
    /// The pace of a connector, which all of this process share; `None` if it has no limit, or makes no
    /// calls: a file or a database in this process's own hands is no server.
    pub fn of(connector: &Connector) -> Option<Arc<Self>> {
        static ALL: OnceLock<Mutex<Paces>> = OnceLock::new();
        let rate = connector.rate?;
        // A pack counts each single call by itself.
        if connector.spec.is_some_and(|spec| spec.plugin.is_some()) {
            return None;
        }
        protocols::of(connector).filter(|protocol| protocol.calls())?;
        let mut all = ALL.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry((connector.name.clone(), rate));
        Some(Arc::clone(known.or_insert_with(|| Arc::new(Self::new(rate, Box::new(System))))))
    }

    fn new(per_minute: u32, time: Box<dyn Time>) -> Self {
        // Rounded up: a step too short by a nanosecond is one call too many in some minute.
        let step = Duration::from_nanos(60_000_000_000_u64.div_ceil(u64::from(per_minute.max(1))));
        Self { step, next: Mutex::new(None), time }
    }

    /// Takes the next call, and waits until its time has come or there is a `hurry`.
    pub fn call(&self, hurry: &dyn Fn() -> bool) {
        let now = self.time.now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + self.step);
            at
        };
        loop {
            let left = at.saturating_duration_since(self.time.now());
            if left.is_zero() || hurry() {
                return;
            }
            self.time.wait(left.min(LOOK));
        }
    }
}

/// A source that is read at a pace.
pub struct Paced {
    source: Box<dyn Source>,
    pace: Arc<Pace>,
    hurry: Hurry,
}

impl Paced {
    /// The source, at the pace of its system if it has one.
    pub fn of(source: Box<dyn Source>, pace: Option<Arc<Pace>>, hurry: Hurry) -> Box<dyn Source> {
        match pace {
            Some(pace) => Box::new(Self { source, pace, hurry }),
            None => source,
        }
    }
}

impl Source for Paced {
    fn next(&mut self) -> Result<Option<Part>> {
        self.pace.call(&*self.hurry);
        self.source.next()
    }

    fn notes(&mut self) -> Vec<String> {
        self.source.notes()
    }

    fn acknowledger(&mut self) -> Option<Box<dyn Acknowledge>> {
        self.source.acknowledger()
    }

    fn acknowledge(&mut self) -> Vec<String> {
        self.source.acknowledge()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Time that goes on only while somebody waits.
    struct Hands(Mutex<Instant>);

    impl Time for Arc<Hands> {
        fn now(&self) -> Instant {
            *self.0.lock().unwrap()
        }

        fn wait(&self, time: Duration) {
            *self.0.lock().unwrap() += time;
        }
    }

    fn hands() -> Arc<Hands> {
        Arc::new(Hands(Mutex::new(Instant::now())))
    }

    #[test]
    fn in_no_minute_are_there_more_calls_than_allowed() {
        for rate in [1, 7, 100, 6000] {
            let hands = hands();
            let pace = Pace::new(rate, Box::new(Arc::clone(&hands)));
            let began = hands.now();
            let mut calls = Vec::new();
            for n in 0..3 * rate {
                // Some time passes between calls, once for longer than a step.
                if n == rate / 2 {
                    hands.wait(pace.step * 3);
                }
                pace.call(&|| false);
                calls.push(hands.now() - began);
            }
            for (n, at) in calls.iter().enumerate() {
                let within = calls[n..].iter().take_while(|call| **call < *at + Duration::from_secs(60)).count();
                assert!(within <= rate as usize, "{rate}: {within} calls in the minute from {at:?}");
            }
            // Nor is it slower than it must be.
            let most = pace.step * (3 * rate + 3);
            assert!(calls.last().unwrap() <= &most, "{rate}: {:?}", calls.last());
        }
    }

    #[test]
    fn who_is_asked_to_stop_waits_no_longer() {
        let hands = hands();
        let pace = Pace::new(1, Box::new(Arc::clone(&hands)));
        let began = hands.now();
        pace.call(&|| false);
        assert_eq!(hands.now(), began, "the first call waits for nothing");
        pace.call(&|| true);
        assert_eq!(hands.now(), began);
        pace.call(&|| hands.now() > began + Duration::from_secs(1));
        assert!(hands.now() < began + Duration::from_secs(2));
    }
}
