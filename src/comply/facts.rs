//! What was recorded and what lies around, as plain data: what checks over the log look at. Who
//! reads the state fills it in; so a check neither knows the state nor can be misled by where it is.
//!
//! Events are folded one by one: of those that come by the million only counts are kept, the others
//! stay as they are, so that a log of any length is looked at in little room.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::error::Finding;
use crate::record::Timestamp;

/// Nanoseconds of a day.
pub const DAY_NS: i64 = 86_400_000_000_000;
/// By how much the clock may go back without a word: the same as the log allows.
const CLOCK_SLACK_NS: i64 = 1_000_000_000;
/// Nanoseconds of an hour.
pub const HOUR_NS: i64 = 3_600_000_000_000;

/// Everything that is known beside the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// The audit log; `None`: it is not at hand.
    pub log: Option<LogFacts>,
    /// Runs, the oldest first; `None`: not at hand.
    pub runs: Option<Vec<RunFact>>,
    /// Versions of keys; `None`: not at hand.
    pub keys: Option<Vec<KeyFact>>,
    /// Certificates that connectors name.
    pub certificates: Vec<CertificateFact>,
    /// Files that hold secrets, or records of what was done.
    pub files: Vec<FileFact>,
    /// Dead letters that wait.
    pub letters: Option<LetterFact>,
    /// What people approved of.
    pub approvals: Vec<ApprovalFact>,
    /// Erased subjects that have come back to a target: how many.
    pub resurrected: u64,
    /// Where secrets stand in clear: what the configuration's own check found, with its fix.
    #[serde(skip)]
    pub literal_secrets: Vec<Finding>,
    /// The hash of the configuration as it is now.
    pub config: Option<String>,
}

/// The audit log.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Given")]
pub struct LogFacts {
    /// How many events there are.
    pub events: u64,
    /// The number of the first that is there.
    pub first_seq: Option<u64>,
    /// The number of the last.
    pub last_seq: Option<u64>,
    /// The time of the first that is there.
    pub first_ns: Option<i64>,
    /// The time of the last.
    pub last_ns: Option<i64>,
    /// Every kind of event with its counts, by action.
    pub actions: BTreeMap<String, ActionFact>,
    /// The events that do not come by the million, the oldest first; no more than [`MOST_KEPT`].
    pub kept: Vec<Told>,
    /// How many were not kept because there were too many.
    pub not_kept: u64,
    /// Events without one of the things that every event must say: number, and what is missing.
    pub incomplete: Vec<(u64, String)>,
    /// The ids of the runs that events tell of.
    pub runs: BTreeSet<String>,
    /// Whether the clock is behind the log since a step that was told of.
    behind: bool,
    /// Backward steps of the clock that no event tells of: the numbers of the events.
    pub untold_steps: Vec<u64>,
    /// Whether the log verifies: `Some(Err)` says what is wrong; `None`: nobody looked.
    pub verified: Option<Result<(), String>>,
    /// When a checkpoint was last carried out of the state.
    pub carried_ns: Option<i64>,
    /// The permission bits of the state's file.
    pub mode: Option<u32>,
    /// Whether events were removed that a hold or a standard keeps: what is known of it.
    pub held_removed: Vec<String>,
}

/// Counts of one kind of event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionFact {
    /// How many.
    pub count: u64,
    /// Of them: denied, failed.
    pub bad: u64,
    /// The time of the last.
    pub last_ns: i64,
}

/// Most events that are kept whole.
pub const MOST_KEPT: usize = 200_000;

/// Events of these actions come with every group or run: only their counts are kept while they are good.
const ROUTINE: &[&str] = &["group.settled", "run.started", "run.finished", "audit.checkpoint", "audit.epoch_sealed"];

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Told {
    /// Its number.
    pub seq: u64,
    /// When, nanoseconds since 1970; text of RFC 3339 in files.
    #[serde(deserialize_with = "moment")]
    pub time: i64,
    /// What the clock said if that had gone back.
    #[serde(deserialize_with = "maybe_moment")]
    pub clock: Option<i64>,
    /// What happened (`run.finished`).
    pub action: String,
    /// What it is about.
    pub category: String,
    /// How grave.
    pub level: String,
    /// How it ended.
    pub outcome: String,
    /// Who.
    pub actor: Option<String>,
    /// From where.
    pub origin: Option<String>,
    /// On which route.
    pub route: Option<String>,
    /// In which run.
    pub run: Option<String>,
    /// To what.
    pub resource: Option<String>,
    /// Under which configuration.
    pub config: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The classes of data that it is about.
    pub classes: Vec<String>,
    /// Whatever else.
    pub details: Map<String, Value>,
    /// 0 to 1.
    pub risk: f64,
}

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunFact {
    /// Its id.
    pub id: String,
    /// Its route.
    pub route: String,
    /// `done`, `partial`, `failed`, `died` …
    pub state: String,
    /// When it began.
    #[serde(deserialize_with = "moment")]
    pub started: i64,
    /// When it ended.
    #[serde(deserialize_with = "maybe_moment")]
    pub ended: Option<i64>,
    /// The due time that it stood for.
    #[serde(deserialize_with = "maybe_moment")]
    pub due: Option<i64>,
    /// What made it run: `hand`, `due` …
    pub cause: String,
    /// Who.
    pub actor: Option<String>,
    /// From where.
    pub origin: Option<String>,
    /// The hash of the mapping.
    pub mapping: String,
    /// The hash of the project.
    pub project: String,
    /// The hash of the plan that it followed.
    pub plan: Option<String>,
    /// The counts.
    pub totals: crate::record::Totals,
    /// Declared sums: field, at the source (less what was not sent), at the target.
    pub sums: Vec<SumFact>,
    /// Records with sensitive data that no class had announced.
    pub detected: u64,
}

/// A sum that was kept on both sides.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SumFact {
    /// The field.
    pub field: String,
    /// Whether the two sides agree.
    pub agrees: bool,
}

/// A version of a key.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyFact {
    /// The key's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// `active`, `retired`, `compromised`, `destroyed`.
    pub state: String,
    /// What it is for.
    pub purpose: String,
    /// When it was made.
    #[serde(deserialize_with = "moment")]
    pub made: i64,
    /// When its state last changed.
    #[serde(deserialize_with = "maybe_moment")]
    pub changed: Option<i64>,
    /// When something was last protected with it.
    #[serde(deserialize_with = "maybe_moment")]
    pub used: Option<i64>,
}

/// A certificate.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CertificateFact {
    /// The connector that names it.
    pub connector: String,
    /// The file.
    pub file: String,
    /// From when on it is no longer good; `None`: it cannot be read.
    #[serde(deserialize_with = "maybe_moment")]
    pub expires: Option<i64>,
}

/// A file that matters.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileFact {
    /// As it is shown.
    pub path: String,
    /// `key` (a secret), `state`, `log`.
    pub what: String,
    /// Permission bits.
    pub mode: u32,
    /// The connector whose data lies in the same folder, or the configuration (`connectors.yaml`) or the
    /// state (`state`); `None`: it is apart from all of these.
    pub beside: Option<String>,
}

/// Dead letters that wait.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LetterFact {
    /// How many.
    pub count: u64,
    /// How many are past their time and still there.
    pub overdue: u64,
    /// Whether their content is sealed.
    pub sealed: bool,
}

/// Something that people approved of.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalFact {
    /// What: the hash of a configuration, a mapping or a plan.
    pub hash: String,
    /// Under which ticket.
    pub ticket: Option<String>,
    /// Who made the change.
    pub author: Option<String>,
    /// Who approved of it.
    pub approver: Option<String>,
    /// Who put it into use.
    pub releaser: Option<String>,
    /// When it was approved of.
    #[serde(deserialize_with = "maybe_moment")]
    pub at: Option<i64>,
}

impl LogFacts {
    /// Takes the next event.
    pub fn take(&mut self, told: Told) {
        self.events += 1;
        self.first_ns.get_or_insert(told.time);
        self.first_seq.get_or_insert(told.seq);
        self.last_seq = Some(told.seq);
        let bad = matches!(told.outcome.as_str(), "failure" | "denied");
        let kind = self.actions.entry(told.action.clone()).or_default();
        kind.count += 1;
        kind.bad += u64::from(bad);
        kind.last_ns = told.time;
        self.last_ns = Some(told.time);
        let lacks = told.lacks();
        if !lacks.is_empty() && self.incomplete.len() < MOST_NAMED {
            self.incomplete.push((told.seq, lacks.join(", ")));
        }
        // The clock stands still or goes back where the log's own time had to go on: an event tells so.
        // Told once it holds until the clock is ahead again; threads and time servers go back by a moment.
        let back = told.clock.is_some_and(|clock| clock < told.time - CLOCK_SLACK_NS);
        self.behind = told.action == "clock.step" || (self.behind && told.clock.is_some());
        if back && !self.behind && self.untold_steps.len() < MOST_NAMED {
            self.untold_steps.push(told.seq);
        }
        if let Some(run) = &told.run
            && !self.runs.contains(run)
        {
            self.runs.insert(run.clone());
        }
        // A run that was not whole is no routine.
        let partial = told.action == "run.finished" && told.outcome == "partial";
        if !bad && !partial && ROUTINE.contains(&told.action.as_str()) {
            return;
        }
        if self.kept.len() < MOST_KEPT { self.kept.push(told) } else { self.not_kept += 1 }
    }

    /// The events of an action, or of those that begin with it, the oldest first.
    pub fn of<'l>(&'l self, action: &'l str) -> impl DoubleEndedIterator<Item = &'l Told> {
        self.kept.iter().filter(move |told| told.is(action))
    }

    /// How many events there are of an action, or of those that begin with it.
    pub fn count(&self, action: &str) -> u64 {
        self.actions.iter().filter(|(name, _)| within(name, action)).map(|(_, kind)| kind.count).sum()
    }

    /// When the last event of an action was.
    pub fn last(&self, action: &str) -> Option<i64> {
        self.actions.iter().filter(|(name, _)| within(name, action)).map(|(_, kind)| kind.last_ns).max()
    }
}

/// Most faults that are named one by one.
const MOST_NAMED: usize = 50;

fn within(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Told {
    /// Whether it is of this action, or of those that begin with it.
    pub fn is(&self, action: &str) -> bool {
        within(&self.action, action)
    }

    /// A detail as text.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).and_then(Value::as_str)
    }

    /// What of user, kind, time, outcome, origin and object is missing.
    fn lacks(&self) -> Vec<&'static str> {
        let system = matches!(self.category.as_str(), "system" | "performance") || self.action.starts_with("audit.");
        let mut lacks = Vec::new();
        let mut need = |there: bool, what| {
            if !there {
                lacks.push(what);
            }
        };
        need(!self.action.is_empty(), "kind");
        need(self.time > 0, "time");
        need(!self.outcome.is_empty(), "outcome");
        need(system || self.actor.is_some() || self.run.is_some(), "user");
        need(system || self.origin.is_some() || self.run.is_some(), "origin");
        need(system || self.resource.is_some() || self.route.is_some() || self.run.is_some(), "object");
        lacks
    }
}

/// The log as files of examples give it.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    events: Vec<Told>,
    verified: Option<bool>,
    #[serde(deserialize_with = "maybe_moment")]
    carried: Option<i64>,
    mode: Option<u32>,
    held_removed: Vec<String>,
}

impl From<Given> for LogFacts {
    fn from(given: Given) -> Self {
        let mut log = Self {
            verified: given.verified.map(|good| if good { Ok(()) } else { Err("an event was altered".into()) }),
            carried_ns: given.carried,
            mode: given.mode,
            held_removed: given.held_removed,
            ..Self::default()
        };
        for (at, mut told) in given.events.into_iter().enumerate() {
            if told.seq == 0 {
                told.seq = at as u64 + 1;
            }
            log.take(told);
        }
        log
    }
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    read_moment(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no moment of RFC 3339")))
}

fn maybe_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let found = read_moment(&text);
    found.map(Some).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no moment of RFC 3339")))
}

/// Nanoseconds since 1970 of a moment or a date.
pub fn read_moment(text: &str) -> Option<i64> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let moment = Timestamp::parse_rfc3339(&whole)?;
    moment.seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(moment.nanos))
}
