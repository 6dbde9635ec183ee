//! The verifier: a reader apart from the writer, which trusts nothing the writer kept. It takes
//! the rows in their order and the head, works everything out again, names the first bad event
//! and says which of its checks it could make with the keys at hand.

mod found;
mod skim;

use std::borrow::Cow;

use serde::Deserialize;

use super::chain::{self, Hash, Head, Key, Link};
use super::event::{Action, VERSION};
use super::merkle::STRIDE;
use super::redaction::{Redaction, Redactions};
pub use found::{Bad, Check, Made, Report, Tampering, Test};

/// The keys at hand.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// The log's first key, from whoever keeps it: with it everything can be checked.
    pub first: Option<Key>,
    /// The key of the open epoch, from the head: checks the open epoch and the head.
    pub current: Option<Key>,
}

/// A row as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its number.
    pub seq: i64,
    /// Its time.
    pub ts_ns: i64,
    /// Its epoch.
    pub epoch: i64,
    /// The canonical body; `None`: it was redacted.
    pub body: Option<&'a [u8]>,
    /// The leaf, as stored.
    pub leaf: &'a [u8],
    /// Its code, as stored.
    pub mac: &'a [u8],
    /// What is kept beside the body so that events are found quickly; must agree with the body.
    pub index: Index<'a>,
}

/// The columns beside the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Index<'a> {
    /// Level.
    pub level: &'a str,
    /// Category.
    pub category: &'a str,
    /// Action.
    pub action: &'a str,
    /// Run.
    pub run: Option<&'a str>,
    /// Route.
    pub route: Option<&'a str>,
}

/// A checkpoint at hand: what the root must be at that size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// How many events it covers.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// Where it came from, to be shown.
    pub from: String,
}

/// What a verification begins from, beside rows and keys.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The epoch that the head claims to be open.
    pub open_epoch: Option<u64>,
    /// See [`Head::plain_until`].
    pub plain_until: u64,
    /// Where the log begins, if its oldest events were pruned.
    pub floor: Option<Head>,
    /// Every redaction that an event of the log tells of.
    pub redactions: Vec<Redaction>,
    /// The checkpoints at hand.
    pub known: Vec<Known>,
}

/// A fault before it has a place.
struct Fault(Test, Tampering, String);

/// Follows one log from its first event to its head.
pub struct Verifier {
    log_id: String,
    key: Option<Key>,
    has_first: bool,
    current: Option<Key>,
    open_epoch: Option<u64>,
    head: Head,
    floor: u64,
    from_ns: Option<i64>,
    redactions: Redactions,
    known: Vec<Known>,
    agreed: u64,
    nodes: Vec<(u32, u64, Hash)>,
    /// Whether part of the log is in sealed segments.
    segments: bool,
    bad: Option<Bad>,
}

impl Verifier {
    /// A verifier of one log.
    pub fn new(log_id: &str, keys: Keys, setting: Setting) -> Self {
        let mut known = setting.known;
        known.sort_by_key(|known| std::cmp::Reverse(known.size));
        let mut head = setting.floor.unwrap_or_else(|| Head::empty(0));
        head.plain_until = setting.plain_until;
        Self {
            log_id: log_id.to_string(),
            has_first: keys.first.is_some(),
            key: keys.first.map(|key| key.evolve_by(head.epoch)),
            current: keys.current,
            open_epoch: setting.open_epoch,
            floor: head.size,
            redactions: Redactions::new(setting.redactions, head.size),
            head,
            from_ns: None,
            known,
            agreed: 0,
            nodes: Vec::new(),
            segments: false,
            bad: None,
        }
    }

    /// Takes the next row. Returns whether to go on: after the first bad event nothing is added.
    pub fn row(&mut self, row: &Row<'_>) -> bool {
        if self.bad.is_none()
            && let Err(fault) = self.compare_known().and_then(|()| self.take(row))
        {
            let id = row.body.and_then(|body| serde_json::from_slice::<Body<'_>>(body).ok());
            self.put(fault, id.map(|body| body.id.into_owned()));
        }
        self.bad.is_none()
    }

    /// Takes a next row of which not even the columns can be read.
    pub fn unreadable(&mut self) {
        let what = "its columns cannot be read".to_string();
        self.put(Fault(Test::Bodies, Tampering::Edited, what), None);
    }

    /// The nodes of kept levels that the rows since the last call completed: level, index, hash.
    pub fn nodes(&mut self) -> Vec<(u32, u64, Hash)> {
        std::mem::take(&mut self.nodes)
    }

    /// Says that a stored node is not the one worked out.
    pub fn wrong_node(&mut self, level: u32, index: u64) {
        let what = format!("node {index} of level {level} of the tree is missing or not that of its events");
        self.put(Fault(Test::Tree, Tampering::Derived, what), None);
    }

    /// Says that the file of a sealed segment is the one that was sealed.
    pub fn segment_held(&mut self) {
        self.segments = true;
    }

    /// Says what is wrong with the file of a sealed segment whose first event has that number.
    pub fn wrong_segment(&mut self, first: u64, looks: Tampering, what: String) {
        self.segments = true;
        if self.bad.is_none() {
            self.bad = Some(Bad { seq: first, id: None, test: Test::Segments, looks, what });
        }
    }

    fn put(&mut self, Fault(test, looks, what): Fault, id: Option<String>) {
        if self.bad.is_none() {
            let seq = if test == Test::Checkpoints { self.agreed } else { self.head.size } + 1;
            self.bad = Some(Bad { seq, id, test, looks, what });
        }
    }

    /// Ends with the head as stored, or without one if it is lost.
    pub fn finish(mut self, stored: Option<&Head>) -> Report {
        if self.bad.is_none()
            && let Err(fault) = self.compare_known().and_then(|()| self.end(stored))
        {
            self.put(fault, None);
        }
        let treeless = stored.is_some_and(|head| head.frontier.is_none());
        // A log that is in one piece has no segments to be looked at.
        let made = Test::ALL.iter().filter(|test| **test != Test::Segments || self.segments);
        let checks = made.map(|test| Check { test: *test, made: self.made(*test, treeless) }).collect();
        Report {
            events: self.head.size - self.floor,
            pruned: self.floor,
            redacted: self.redactions.rows(),
            root: self.head.root().filter(|_| self.bad.is_none()),
            from_ns: self.from_ns,
            to_ns: self.from_ns.map(|_| self.head.last_ns),
            checks,
            bad: self.bad,
            log_id: self.log_id,
        }
    }

    /// Compares with the checkpoints of the size reached.
    fn compare_known(&mut self) -> Result<(), Fault> {
        while let Some(known) = self.known.last().filter(|known| known.size <= self.head.size) {
            let root = self.head.root().unwrap_or_default();
            if known.size == self.head.size && known.root != root {
                let what = format!(
                    "events {} to {} are not those that {} was signed over",
                    self.agreed + 1,
                    known.size,
                    known.from
                );
                return fault(Test::Checkpoints, Tampering::Forked, what);
            }
            // One over events that were pruned says nothing any more.
            if known.size == self.head.size {
                self.agreed = known.size;
            }
            self.known.pop();
        }
        Ok(())
    }

    fn take(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let seq = self.head.size + 1;
        if row.seq != seq as i64 {
            let looks = if row.seq > seq as i64 { Tampering::Removed } else { Tampering::Moved };
            let what = format!("event {seq} is missing or out of its place: number {} stands there", row.seq);
            return fault(Test::Order, looks, what);
        }
        if seq == 1 {
            self.head = Head { plain_until: self.head.plain_until, ..Head::empty(row.ts_ns) };
        } else if row.ts_ns < self.head.last_ns {
            return fault(Test::Order, Tampering::Moved, "it is older than the event before it".to_string());
        }
        self.from_ns.get_or_insert(row.ts_ns);
        let Ok(stored) = Hash::try_from(row.leaf) else {
            let what = "its hash does not have the right length".to_string();
            return fault(Test::Bodies, Tampering::Edited, what);
        };
        if let Some(body) = row.body {
            if chain::leaf(body) != stored {
                let what = "its body is not the one whose hash was recorded".to_string();
                return fault(Test::Bodies, Tampering::Edited, what);
            }
            let read = if skim::agrees(row, body, seq) { None } else { Some(self.read(row, body, seq)?) };
            self.check_epoch(row, read.as_ref().and_then(|body| body.details.as_ref()))?;
        } else {
            self.check_epoch(row, None)?;
            self.redactions
                .take(row, seq)
                .map_err(|what| Fault(Test::Redactions, Tampering::Erased, what.to_string()))?;
        }
        self.check_code(row, seq, &stored)?;
        let Ok(mac) = Hash::try_from(row.mac) else {
            let what = "its code does not have the right length".to_string();
            return fault(Test::Bodies, Tampering::Edited, what);
        };
        let nodes = &mut self.nodes;
        let _: Result<(), std::convert::Infallible> = self.head.add(row.ts_ns, &stored, mac, |level, index, hash| {
            if level.is_multiple_of(STRIDE) {
                nodes.push((level, index, *hash));
            }
            Ok(())
        });
        if row.index.action == Action::EpochSealed.word() {
            let next = self.head.epoch_after(row.ts_ns);
            if let Some(key) = &self.key {
                self.key = Some(key.evolve_by(next - self.head.epoch));
            }
            self.head.open_epoch(next, row.ts_ns);
        }
        Ok(())
    }

    fn read<'r>(&self, row: &Row<'r>, body: &'r [u8], seq: u64) -> Result<Body<'r>, Fault> {
        let body: Body<'r> = serde_json::from_slice(body)
            .map_err(|error| Fault(Test::Bodies, Tampering::Edited, format!("its body cannot be read: {error}")))?;
        if body.v > VERSION {
            let what = format!("its body has version {}, which this program does not know", body.v);
            return fault(Test::Bodies, Tampering::Edited, what);
        }
        let index = Index {
            level: &body.level,
            category: &body.category,
            action: &body.action,
            run: body.run.as_deref(),
            route: body.route.as_deref(),
        };
        let same_time = body.time.parse() == Ok(row.ts_ns);
        if body.seq != seq {
            let what = format!("its body says that it is event {}", body.seq);
            return fault(Test::Bodies, Tampering::Moved, what);
        }
        if !same_time || index != row.index {
            return fault(Test::Bodies, Tampering::Edited, "its columns do not agree with its body".to_string());
        }
        Ok(body)
    }

    fn check_epoch(&self, row: &Row<'_>, details: Option<&Seal<'_>>) -> Result<(), Fault> {
        if row.epoch != self.head.epoch as i64 {
            let what = format!("it claims epoch {} while {} is open", row.epoch, self.head.epoch);
            return fault(Test::Epochs, Tampering::Moved, what);
        }
        if row.index.action != Action::EpochSealed.word() {
            if self.head.size > 0 && self.head.is_over(row.ts_ns) {
                let what = format!("epoch {} should have been sealed before it", self.head.epoch);
                return fault(Test::Epochs, Tampering::Removed, what);
            }
            return Ok(());
        }
        let right = details.is_some_and(|details| {
            details.epoch == Some(self.head.epoch)
                && details.next == Some(self.head.epoch_after(row.ts_ns))
                && details.events == Some(self.head.epoch_events)
                && details.running.as_deref() == Some(chain::hex(&self.head.running).as_str())
        });
        if right && self.head.is_over(row.ts_ns) {
            return Ok(());
        }
        let what =
            format!("it seals epoch {} with wrong counts, times or hash: events of it were changed", self.head.epoch);
        fault(Test::Epochs, Tampering::Forged, what)
    }

    fn check_code(&self, row: &Row<'_>, seq: u64, leaf: &Hash) -> Result<(), Fault> {
        let open = self.open_epoch == Some(self.head.epoch);
        let key = match (&self.key, &self.current) {
            (Some(key), _) => key,
            (None, Some(current)) if open => current,
            _ => return Ok(()),
        };
        let link = Link { log_id: &self.log_id, epoch: self.head.epoch, seq, previous: &self.head.last, leaf };
        if chain::link(key, &link)[..] == *row.mac {
            return Ok(());
        }
        let test = if open { Test::OpenCodes } else { Test::SealedCodes };
        fault(test, Tampering::Forged, "its code was not made with the log's key".to_string())
    }

    fn end(&self, stored: Option<&Head>) -> Result<(), Fault> {
        if let Some(what) = self.redactions.unlike() {
            return fault(Test::Redactions, Tampering::Erased, what);
        }
        let Some(stored) = stored else {
            return fault(Test::Head, Tampering::Derived, "the head of the log is missing".to_string());
        };
        if stored.size != self.head.size {
            let looks = if stored.size > self.head.size { Tampering::CutOff } else { Tampering::Moved };
            let what = format!("the head counts {} events and {} are there", stored.size, self.head.size);
            return fault(Test::Head, looks, what);
        }
        // A log that an older consign wrote has no tree yet.
        let treeless = stored.frontier.is_none() && self.head.plain_until == self.head.size;
        if !treeless && stored.frontier != self.head.frontier {
            let what = "the frontier of the tree is not that of the events".to_string();
            return fault(Test::Tree, Tampering::Derived, what);
        }
        let mine = Head { code: stored.code, frontier: stored.frontier.clone(), ..self.head.clone() };
        if *stored != mine {
            let what = "the head does not fit the last event".to_string();
            return fault(Test::Head, Tampering::Derived, what);
        }
        if let Some(key) = self.key.as_ref().or(self.current.as_ref())
            && stored.code_under(key, &self.log_id) != stored.code
        {
            let what = "the code of the head was not made with the log's key: events before it were altered, or its end was cut off";
            return fault(Test::HeadCode, Tampering::Forged, what.to_string());
        }
        // Last, so that a mere cut has its own name: here the log fits together, and is too short.
        if let Some(known) = self.known.first() {
            let what = format!(
                "{} was signed over {} events and {} are there: the log is an older copy of itself, or its end was cut off by somebody with its keys",
                known.from, known.size, self.head.size
            );
            return fault(Test::Checkpoints, Tampering::RolledBack, what);
        }
        Ok(())
    }

    fn made(&self, test: Test, treeless: bool) -> Made {
        let no_key = match test {
            Test::Tree | Test::Checkpoints if treeless => Some("an older consign wrote this log: it has no tree yet"),
            Test::Checkpoints if self.agreed == 0 && self.bad.as_ref().is_none_or(|bad| bad.test != test) => {
                Some("no checkpoint is at hand")
            }
            Test::SealedCodes if !self.has_first => Some("needs the log's first key"),
            Test::OpenCodes | Test::HeadCode if !self.has_first && self.current.is_none() => {
                Some("needs the log's first or current key")
            }
            _ => None,
        };
        match (&self.bad, no_key) {
            (_, Some(why)) => Made::NotMade(why),
            (None, None) => Made::Passed,
            (Some(bad), None) if bad.test == test => Made::Failed,
            (Some(_), None) if matches!(test, Test::Head | Test::HeadCode | Test::Redactions) => {
                Made::NotMade("a fault was found before the end")
            }
            (Some(_), None) => Made::UntilFault,
        }
    }
}

/// What of a body the verifier looks at; the rest is skipped.
#[derive(Deserialize)]
struct Body<'a> {
    v: u64,
    #[serde(borrow)]
    id: Cow<'a, str>,
    seq: u64,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    level: Cow<'a, str>,
    #[serde(borrow)]
    category: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    run: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    route: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    details: Option<Seal<'a>>,
}

/// The details of a sealing event; those of other events pass by.
#[derive(Deserialize)]
struct Seal<'a> {
    #[serde(default, deserialize_with = "number")]
    epoch: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    next: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    events: Option<u64>,
    #[serde(default, borrow, deserialize_with = "text")]
    running: Option<Cow<'a, str>>,
}

fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_u64())
}

fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_str().map(|text| Cow::Owned(text.to_string())))
}

fn fault<T>(test: Test, looks: Tampering, what: String) -> Result<T, Fault> {
    Err(Fault(test, looks, what))
}

#[cfg(test)]
mod tests;
