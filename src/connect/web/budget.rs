//! How much may still be asked: budgets of units in time, what answers say of them, and pauses.
//!
//! A unit has its time: the next one is due a step after the last, and after a pause some may be late and
//! come at once (`burst`). What the system itself says of its quota holds beside that. Everybody who calls
//! on the same account in this process shares one [`Gate`]; processes share through the store, slice by
//! slice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::retry::Patience;
use super::waits::Quota;
use super::wire::Wire;
use crate::connect::pack::limits::{Bucket, Limits};
use crate::error::Result;
use crate::store::budgets::{Budget, Slice};

/// How much of the future a process takes at once, at least one call.
const SLICE: i64 = 100_000_000;
/// How often somebody who shares a budget looks whether another process was told to wait.
const LOOK: i64 = 1_000_000_000;

/// All budgets of one account.
#[derive(Debug)]
pub struct Gate {
    /// When failing calls are made again.
    pub patience: Patience,
    /// The pack's general one, then what the connector says, then those with a name.
    meters: Vec<(String, Meter)>,
}

/// The names of the first two budgets, which no pack can give.
const GENERAL: &str = "";
const CONNECTOR: &str = "\u{0}";

impl Gate {
    /// The budgets of an account, which all of this process share.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub fn of(account: &str, limits: &Limits, per_minute: Option<u32>, state: Option<PathBuf>) -> Result<Arc<Self>> {
        type Known = BTreeMap<(Option<PathBuf>, String), Weak<Gate>>;
        static ALL: OnceLock<Mutex<Known>> = OnceLock::new();
        let key = (state.clone(), format!("{account}\u{0}{per_minute:?}"));
        let mut all = ALL.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, gate| gate.strong_count() > 0);
        if let Some(known) = all.get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let made = Arc::new(Self::new(account, limits, per_minute, state)?);
        all.insert(key, Arc::downgrade(&made));
        Ok(made)
    }

    /// The budgets of nobody else: for a recording.
    ///
    /// # Errors
    /// As for [`Gate::of`].
    pub fn new(account: &str, limits: &Limits, per_minute: Option<u32>, state: Option<PathBuf>) -> Result<Self> {
        let meter = |name: &str, rate: Option<Rate>, in_flight: usize| -> Result<Meter> {
            // Budgets are files by the hash of whose they are: no name of the user's becomes a path.
            let shared = match state.as_deref().filter(|folder| folder.is_dir()) {
                Some(folder) => {
                    let hash = blake3::hash(format!("{account}\u{0}{name}").as_bytes()).to_hex();
                    Some(Budget::open(folder, hash.get(..32).unwrap_or_default())?)
                }
                None => None,
            };
            Ok(Meter { rate, shared, places: Semaphore::new(in_flight), most: in_flight, state: Mutex::default() })
        };
        let mut meters = vec![(GENERAL.to_owned(), meter(GENERAL, Rate::of(&limits.general), limits.in_flight)?)];
        if let Some(calls) = per_minute {
            let rate = Rate::new(u64::from(calls), Duration::from_secs(60), 1);
            meters.push((CONNECTOR.to_owned(), meter(CONNECTOR, Some(rate), Semaphore::MAX_PERMITS)?));
        }
        for (name, bucket) in &limits.buckets {
            let most = bucket.in_flight.unwrap_or(Semaphore::MAX_PERMITS);
            meters.push((name.clone(), meter(name, Rate::of(bucket), most)?));
        }
        Ok(Self { patience: Patience::default(), meters })
    }

    /// The budgets that a call counts against, with what it costs there.
    fn those(&self, bucket: Option<&str>, cost: u32) -> impl Iterator<Item = (&Meter, u32)> {
        self.meters.iter().filter_map(move |(name, meter)| match name.as_str() {
            GENERAL | CONNECTOR => Some((meter, 1)),
            name if Some(name) == bucket => Some((meter, cost.max(1))),
            _ => None,
        })
    }

    /// The meter that answers are asked about: the general one, or the one of that name.
    pub fn meter(&self, bucket: Option<&str>) -> Option<&Meter> {
        self.meters.iter().find(|(name, _)| name == bucket.unwrap_or(GENERAL)).map(|(_, meter)| meter)
    }

    /// Waits for a place and for its time. `Err(when)`: it would be longer than `patience`, and the call
    /// may be made then (nanoseconds since 1970).
    ///
    /// # Errors
    /// The time at which the call may be made, if that is too far away; or what is wrong with the budget's
    /// file.
    pub async fn enter(
        &self,
        bucket: Option<&str>,
        cost: u32,
        patience: Duration,
        wire: &dyn Wire,
    ) -> Result<std::result::Result<Pass<'_>, i64>> {
        let mut pass = Pass { places: Vec::with_capacity(2), taken: Vec::with_capacity(2) };
        let mut due = 0;
        let latest = now_of(wire).saturating_add(nanos(patience));
        for (meter, _) in self.those(bucket, cost) {
            // Only closed semaphores fail, and nobody closes ours.
            if meter.most < Semaphore::MAX_PERMITS
                && let Ok(place) = meter.places.acquire().await
            {
                pass.places.push(place);
            }
        }
        for (meter, cost) in self.those(bucket, cost) {
            match meter.take(now_of(wire), cost, latest)? {
                Ok(at) => due = due.max(at),
                Err(at) => return Ok(Err(at)),
            }
            pass.taken.push((meter, cost));
        }
        loop {
            let now = now_of(wire);
            if due <= now {
                return Ok(Ok(pass));
            }
            if due > latest {
                return Ok(Err(due));
            }
            wire.pause(Duration::from_nanos(u64::try_from(due - now).unwrap_or(0))).await;
            // Meanwhile somebody may have been told to wait.
            for (meter, _) in self.those(bucket, cost) {
                due = due.max(meter.lock().pause);
            }
        }
    }

    /// Nobody calls before that time: the system asked to wait.
    pub fn pause(&self, bucket: Option<&str>, until: i64) {
        if let Some(meter) = self.meter(bucket).or_else(|| self.meter(None)) {
            meter.lock().pause(until);
            if let Some(shared) = &meter.shared {
                // The others find out for themselves, then.
                let _ = shared.pause(until);
            }
        }
    }
}

/// A place among the calls at the same time, and what the call is for; given back when it goes, however
/// the call ended.
#[derive(Debug)]
pub struct Pass<'g> {
    places: Vec<SemaphorePermit<'g>>,
    taken: Vec<(&'g Meter, u32)>,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        for (meter, cost) in &self.taken {
            meter.over(*cost);
        }
        self.places.clear();
    }
}

/// How fast units come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Between two units, nanoseconds.
    step: i64,
    /// How late a unit may be used.
    credit: i64,
    /// The time the rate is for.
    per: i64,
}

impl Rate {
    /// So many units in a time, of which some may come at once.
    pub fn new(units: u64, per: Duration, burst: u64) -> Self {
        let per = nanos(per);
        // Rounded up: a step too short by a nanosecond is one unit too many in some window.
        let step = u64::try_from(per).unwrap_or(1).div_ceil(units.max(1)).max(1);
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let late = i64::try_from(burst.saturating_sub(1)).unwrap_or(i64::MAX);
        Self { step, credit: step.saturating_mul(late), per }
    }

    fn of(bucket: &Bucket) -> Option<Self> {
        bucket.rate.map(|units| Self::new(units, bucket.per, bucket.burst))
    }
}

/// One budget.
pub struct Meter {
    rate: Option<Rate>,
    shared: Option<Budget>,
    places: Semaphore,
    most: usize,
    state: Mutex<State>,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Meter({:?})", self.rate)
    }
}

#[derive(Debug, Default)]
struct State {
    /// When the next unit is due; before anything was taken: long ago.
    next: Option<i64>,
    /// The slice that the units come from, where processes share.
    slice: Option<Slice>,
    /// Calls that the last slice was for.
    more: i64,
    /// Before when nobody calls.
    pause: i64,
    /// When the shared pause was looked up.
    looked: i64,
    /// What the system said of its quota.
    told: Option<Said>,
    /// What is asked for and not answered yet.
    pending: f64,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    at: i64,
    remaining: f64,
    of: Option<f64>,
    restore: Option<f64>,
    reset: Option<i64>,
}

impl State {
    fn pause(&mut self, until: i64) {
        self.pause = self.pause.max(until);
    }
}

impl Meter {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next units; says when they are due, or that this is later than `latest`.
    fn take(&self, now: i64, cost: u32, latest: i64) -> Result<std::result::Result<i64, i64>> {
        let mut state = self.lock();
        if let Some(shared) = &self.shared
            && now - state.looked >= LOOK
        {
            state.looked = now;
            let until = shared.paused()?;
            state.pause(until);
        }
        let mut due = now.max(state.pause).max(state.left(now, f64::from(cost)));
        if due > latest {
            return Ok(Err(due));
        }
        if let Some(rate) = self.rate {
            let need = rate.step.saturating_mul(i64::from(cost));
            let late = due.saturating_sub(rate.credit);
            let next = match (&self.shared, state.slice) {
                (None, _) => state.next.map_or(late, |next| next.max(late)),
                (Some(shared), slice) => {
                    let next = state.next.map_or(late, |next| next.max(late));
                    match slice.filter(|slice| next >= slice.from && next.saturating_add(need) <= slice.until) {
                        Some(_) => next,
                        None => {
                            // Who uses what it takes takes more at once, who does not takes what it needs.
                            let used = slice.is_some_and(|slice| late < slice.until);
                            state.more = if used { state.more.saturating_mul(2).max(2) } else { 1 };
                            let count = state.more.min(SLICE / need.max(1)).max(1);
                            let length = need.saturating_mul(count);
                            let horizon = rate.per.max(length).saturating_mul(1024);
                            let slice = shared.take(due, length, rate.credit, horizon)?;
                            state.slice = Some(slice);
                            slice.from
                        }
                    }
                }
            };
            if next > latest {
                return Ok(Err(next));
            }
            state.next = Some(next.saturating_add(need));
            due = due.max(next);
        }
        state.pending += f64::from(cost);
        if let Some(said) = &mut state.told {
            said.remaining -= f64::from(cost);
        }
        Ok(Ok(due))
    }

    /// A call is over.
    fn over(&self, cost: u32) {
        let mut state = self.lock();
        state.pending = (state.pending - f64::from(cost)).max(0.0);
    }

    /// What a call came to that was taken for so much.
    pub fn settle(&self, cost: u32, actual: f64) {
        let mut state = self.lock();
        if let (Some(rate), Some(next)) = (self.rate, state.next.filter(|_| actual.is_finite())) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "saturates; parts of a unit do not matter"
            )]
            let more = ((actual - f64::from(cost)) * rate.step as f64) as i64;
            state.next = Some(next.saturating_add(more));
        }
    }

    /// What the system says of the quota, at a time.
    pub fn tell(&self, now: i64, quota: Quota, restore: Option<f64>) {
        let Some(remaining) = quota.remaining.filter(|units| units.is_finite()) else { return };
        let mut state = self.lock();
        let remaining = remaining - state.pending;
        let reset = quota.reset.map(|wait| now.saturating_add(nanos(wait)));
        let restore = restore.filter(|units| units.is_finite() && *units > 0.0);
        state.told = Some(Said { at: now, remaining, of: quota.of, restore, reset });
    }
}

impl State {
    /// When so many units are there, by what the system said.
    fn left(&self, now: i64, cost: f64) -> i64 {
        let Some(said) = self.told else { return now };
        if said.reset.is_some_and(|reset| now >= reset) {
            return now;
        }
        // More than there ever is cannot be waited for.
        let cost = said.of.filter(|of| *of > 0.0).map_or(cost, |of| cost.min(of));
        #[expect(clippy::cast_precision_loss, reason = "parts of a unit do not matter")]
        let passed = (now - said.at) as f64 / 1e9;
        let back = said.restore.map_or(0.0, |restore| restore * passed);
        let missing = cost - (said.remaining + back);
        if missing <= 0.0 {
            return now;
        }
        match (said.restore, said.reset) {
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            (Some(restore), _) => now.saturating_add((missing / restore * 1e9).ceil() as i64),
            (None, Some(reset)) => reset,
            // Nothing says when: the system will, if it has to.
            (None, None) => now,
        }
    }
}

/// The time on a wire, nanoseconds since 1970.
pub fn now_of(wire: &dyn Wire) -> i64 {
    i64::try_from(wire.now().as_nanosecond()).unwrap_or(i64::MAX)
}

/// Nanoseconds, as far as they go.
pub fn nanos(length: Duration) -> i64 {
    i64::try_from(length.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
