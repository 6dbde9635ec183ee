//! The verifier: a reader apart from the writer, which trusts nothing the writer kept. It takes
//! the rows in their order and the head, works everything out again, names the first bad event
//! and says which of its checks it could make with the keys at hand.

use std::borrow::Cow;

use serde::Deserialize;

use super::chain::{self, Hash, Head, Key, Link};
use super::event::{Action, VERSION};

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
    /// The canonical body.
    pub body: &'a [u8],
    /// The leaf, as stored.
    pub leaf: &'a [u8],
    /// The code of the event before, as stored.
    pub previous: &'a [u8],
    /// Its code, as stored.
    pub mac: &'a [u8],
    /// What is kept beside the body so that events are found quickly; must agree with the body.
    pub index: Index<'a>,
}

/// The columns beside the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The checks, in the order in which they are made of each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Numbers are 1, 2, 3 …, times never go back.
    Order,
    /// The hash of each body is its leaf; the body can be read and agrees with the columns beside it.
    Bodies,
    /// Each event names the code of the one before.
    Continuity,
    /// Epochs follow each other, sealed in time, with the right count and running hash.
    Epochs,
    /// The codes of sealed epochs.
    SealedCodes,
    /// The codes of the open epoch.
    OpenCodes,
    /// The head names the last event, the size and the running hash.
    Head,
    /// The code of the head, which covers every leaf.
    HeadCode,
}

impl Test {
    /// Every one, in order.
    pub const ALL: [Self; 8] = [
        Self::Order,
        Self::Bodies,
        Self::Continuity,
        Self::Epochs,
        Self::SealedCodes,
        Self::OpenCodes,
        Self::Head,
        Self::HeadCode,
    ];

    /// Its name, as shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Bodies => "bodies",
            Self::Continuity => "continuity",
            Self::Epochs => "epochs",
            Self::SealedCodes => "codes of sealed epochs",
            Self::OpenCodes => "codes of the open epoch",
            Self::Head => "head",
            Self::HeadCode => "code of the head",
        }
    }
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// It held for every event.
    Passed,
    /// It found the first bad event.
    Failed,
    /// It held as far as it came: another check failed first.
    UntilFault,
    /// It could not be made.
    NotMade(&'static str),
}

/// One check and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub test: Test,
    /// What became of it.
    pub made: Made,
}

/// The first bad event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Its number; one past the last for what is wrong with the end.
    pub seq: u64,
    /// Its id, if its body can still be read.
    pub id: Option<String>,
    /// Which check found it.
    pub test: Test,
    /// What is wrong, one sentence without a final period.
    pub what: String,
}

/// What the verification of one log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The log.
    pub log_id: String,
    /// Events that were read (up to the first bad one).
    pub events: u64,
    /// Time of the first event.
    pub from_ns: Option<i64>,
    /// Time of the last event.
    pub to_ns: Option<i64>,
    /// Every check.
    pub checks: Vec<Check>,
    /// The first bad event; `None`: nothing was found.
    pub bad: Option<Bad>,
}

impl Report {
    /// Whether nothing was found by the checks that could be made.
    pub fn is_good(&self) -> bool {
        self.bad.is_none()
    }
}

/// Follows one log from its first event to its head.
pub struct Verifier {
    log_id: String,
    key: Option<Key>,
    has_first: bool,
    current: Option<Key>,
    open_epoch: Option<u64>,
    head: Head,
    from_ns: Option<i64>,
    bad: Option<Bad>,
}

impl Verifier {
    /// A verifier of one log; `open_epoch` is the epoch the head claims to be open.
    pub fn new(log_id: &str, keys: Keys, open_epoch: Option<u64>) -> Self {
        Self {
            log_id: log_id.to_string(),
            has_first: keys.first.is_some(),
            key: keys.first,
            current: keys.current,
            open_epoch,
            head: Head::empty(0),
            from_ns: None,
            bad: None,
        }
    }

    /// Takes the next row. Returns whether to go on: after the first bad event nothing is added.
    pub fn row(&mut self, row: &Row<'_>) -> bool {
        if self.bad.is_none()
            && let Err((test, what)) = self.take(row)
        {
            let id = serde_json::from_slice::<Body<'_>>(row.body).ok().map(|body| body.id.into_owned());
            self.bad = Some(Bad { seq: self.head.size + 1, id, test, what });
        }
        self.bad.is_none()
    }

    /// Takes a next row of which not even the columns can be read.
    pub fn unreadable(&mut self) {
        if self.bad.is_none() {
            let what = "its columns cannot be read".to_string();
            self.bad = Some(Bad { seq: self.head.size + 1, id: None, test: Test::Bodies, what });
        }
    }

    /// Ends with the head as stored, or without one if it is lost.
    pub fn finish(mut self, stored: Option<&Head>) -> Report {
        if self.bad.is_none()
            && let Err((test, what)) = self.end(stored)
        {
            self.bad = Some(Bad { seq: self.head.size + 1, id: None, test, what });
        }
        let checks = Test::ALL.iter().map(|test| Check { test: *test, made: self.made(*test) }).collect();
        Report {
            events: self.head.size,
            from_ns: self.from_ns,
            to_ns: self.from_ns.map(|_| self.head.last_ns),
            checks,
            bad: self.bad,
            log_id: self.log_id,
        }
    }

    fn take(&mut self, row: &Row<'_>) -> Result<(), (Test, String)> {
        let seq = self.head.size + 1;
        if row.seq != seq as i64 {
            return fault(
                Test::Order,
                format!("event {seq} is missing or out of its place: number {} stands there", row.seq),
            );
        }
        if seq == 1 {
            self.head = Head::empty(row.ts_ns);
            self.from_ns = Some(row.ts_ns);
        } else if row.ts_ns < self.head.last_ns {
            return fault(Test::Order, "it is older than the event before it".to_string());
        }
        let leaf = chain::leaf(row.body);
        if leaf[..] != *row.leaf {
            return fault(Test::Bodies, "its body is not the one whose hash was recorded".to_string());
        }
        let body = self.read(row, seq)?;
        if row.previous != self.head.last {
            return fault(Test::Continuity, "it does not follow the event before it".to_string());
        }
        self.check_epoch(row, &body)?;
        self.check_code(row, seq, &leaf)?;
        let mac = Hash::try_from(row.mac)
            .map_err(|_| (Test::Continuity, "its code does not have the right length".to_string()))?;
        self.head.add(row.ts_ns, &leaf, mac);
        if row.index.action == Action::EpochSealed.word() {
            let next = self.head.epoch_after(row.ts_ns);
            if let Some(key) = &self.key {
                self.key = Some(key.evolve_by(next - self.head.epoch));
            }
            self.head.open_epoch(next, row.ts_ns);
        }
        Ok(())
    }

    fn read<'r>(&self, row: &Row<'r>, seq: u64) -> Result<Body<'r>, (Test, String)> {
        let body: Body<'r> = serde_json::from_slice(row.body)
            .map_err(|error| (Test::Bodies, format!("its body cannot be read: {error}")))?;
        if body.v > VERSION {
            return fault(Test::Bodies, format!("its body has version {}, which this program does not know", body.v));
        }
        let index = Index {
            level: &body.level,
            category: &body.category,
            action: &body.action,
            run: body.run.as_deref(),
            route: body.route.as_deref(),
        };
        let same_time = body.time.parse() == Ok(row.ts_ns);
        if body.seq != seq || !same_time || index != row.index {
            return fault(Test::Bodies, "its columns do not agree with its body".to_string());
        }
        Ok(body)
    }

    fn check_epoch(&self, row: &Row<'_>, body: &Body<'_>) -> Result<(), (Test, String)> {
        if row.epoch != self.head.epoch as i64 {
            return fault(Test::Epochs, format!("it claims epoch {} while {} is open", row.epoch, self.head.epoch));
        }
        if row.index.action != Action::EpochSealed.word() {
            if self.head.size > 0 && self.head.is_over(row.ts_ns) {
                return fault(Test::Epochs, format!("epoch {} should have been sealed before it", self.head.epoch));
            }
            return Ok(());
        }
        let right = body.details.as_ref().is_some_and(|details| {
            details.epoch == Some(self.head.epoch)
                && details.next == Some(self.head.epoch_after(row.ts_ns))
                && details.events == Some(self.head.epoch_events)
                && details.running.as_deref() == Some(chain::hex(&self.head.running).as_str())
        });
        if right && self.head.is_over(row.ts_ns) {
            return Ok(());
        }
        fault(Test::Epochs, format!("it seals epoch {} with wrong counts, times or hash", self.head.epoch))
    }

    fn check_code(&self, row: &Row<'_>, seq: u64, leaf: &Hash) -> Result<(), (Test, String)> {
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
        fault(test, "its code was not made with the log's key".to_string())
    }

    fn end(&self, stored: Option<&Head>) -> Result<(), (Test, String)> {
        let Some(stored) = stored else {
            return fault(Test::Head, "the head of the log is missing".to_string());
        };
        if stored.size != self.head.size {
            return fault(
                Test::Head,
                format!("the head counts {} events and {} are there", stored.size, self.head.size),
            );
        }
        let mine = Head { code: stored.code, ..self.head.clone() };
        if *stored != mine {
            return fault(Test::Head, "the head does not fit the last event".to_string());
        }
        if let Some(key) = self.key.as_ref().or(self.current.as_ref())
            && stored.code_under(key, &self.log_id) != stored.code
        {
            return fault(
                Test::HeadCode,
                "the code of the head was not made with the log's key: events before it were altered, or its end was cut off"
                    .to_string(),
            );
        }
        Ok(())
    }

    fn made(&self, test: Test) -> Made {
        let no_key = match test {
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
            (Some(_), None) if matches!(test, Test::Head | Test::HeadCode) => {
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

fn fault<T>(test: Test, what: String) -> Result<T, (Test, String)> {
    Err((test, what))
}
