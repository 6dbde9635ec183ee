//! What an event is: a closed list of actions, a versioned body, and its canonical bytes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::canonical;
use super::risk::{self, Inputs};
use super::session::{Ci, Session};

/// The version of the body that is written; every version ever written stays readable.
pub const VERSION: u64 = 1;

/// What actions begin with that scripts named: none of consign's own does, so that nobody can forge one.
pub const CUSTOM: &str = "custom.";

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word that is stored and shown.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The one with this word.
            pub fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words! {
    /// How much an event matters, rising.
    Level {
        /// Of use while looking for a fault.
        Debug = "debug",
        /// The normal course.
        Info = "info",
        /// Worth a look.
        Warning = "warning",
        /// Something failed.
        Error = "error",
        /// Somebody must look now.
        Critical = "critical",
    }
}

words! {
    /// What an event is about.
    Category {
        /// Stock and items.
        Inventory = "inventory",
        /// Something a person did.
        UserAction = "user_action",
        /// consign itself.
        System = "system",
        /// Keys, access, locks, tampering.
        Security = "security",
        /// Rules and their decisions.
        Compliance = "compliance",
        /// Data moving between systems.
        Integration = "integration",
        /// Speed and limits.
        Performance = "performance",
    }
}

words! {
    /// How it ended.
    Outcome {
        /// As intended.
        Success = "success",
        /// In part.
        Partial = "partial",
        /// Not at all.
        Failure = "failure",
        /// It was not allowed.
        Denied = "denied",
        /// Nobody can say yet.
        Unknown = "unknown",
    }
}

macro_rules! actions {
    ($($variant:ident $word:literal $category:ident $level:ident $about:literal;)*) => {
        words! {
            /// Everything that is ever recorded.
            Action { $(#[doc = $about] $variant = $word),* }
        }

        impl Action {
            /// Its category.
            pub fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category),* }
            }
            /// Its usual level.
            pub fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level),* }
            }
            /// What it means, one sentence.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),* }
            }
        }
    };
}

actions! {
    LogStarted "audit.log_started" Security Info "An audit log began.";
    LogReplaced "audit.log_replaced" Security Critical "The key of an earlier log was lost; it was closed and this log began.";
    SignerMade "audit.signer_made" Security Info "The log got the key that its checkpoints are signed with.";
    CheckpointMade "audit.checkpoint" Security Info "A checkpoint of the log was signed.";
    EventProved "audit.proved" Security Info "A proof that an event is in the log was written.";
    EventsPruned "audit.pruned" Security Critical "The oldest events of the log were removed, as its retention allows.";
    EventsRedacted "audit.redacted" Security Critical "The bodies of events were removed; their places in the log remain.";
    SegmentSealed "audit.segment_sealed" Security Info "A part of the log was moved to a file of its own that nobody writes to any more.";
    SignerRotated "audit.signer_rotated" Security Warning "The key that checkpoints are signed with was replaced; the old one signed for the new one.";
    HoldPlaced "audit.hold_placed" Compliance Warning "A legal hold was placed: nothing from its beginning on is removed.";
    HoldReleased "audit.hold_released" Compliance Warning "A legal hold was released.";
    CheckpointWitnessed "audit.witnessed" Security Info "A witness cosigned a checkpoint of the log.";
    EpochSealed "audit.epoch_sealed" Security Debug "An epoch of the chain was sealed and its key replaced.";
    KeyRewrapped "audit.key_rewrapped" Security Warning "The chain's current key was wrapped by another key.";
    AuditDisabled "audit.disabled" Security Critical "Recording was switched off by configuration.";
    AuditEnabled "audit.enabled" Security Warning "Recording was switched on again.";
    AuditVerified "audit.verified" Security Info "The log was verified.";
    AuditExported "audit.exported" Security Info "Events were exported.";
    AuditNote "audit.note" UserAction Info "A note from a person or a script.";
    ClockStep "clock.step" System Warning "The system clock went backwards.";
    ConfigSeen "config.seen" System Info "A configuration was used for the first time.";
    RunStarted "run.started" Integration Info "A run began.";
    GroupSettled "group.settled" Integration Info "A group of records was settled.";
    RunFinished "run.finished" Integration Info "A run ended.";
    RunRefused "run.refused" Compliance Warning "A run was refused before it began: not approved of, or not what was approved of, disabled, or against a rule.";
    RunDied "run.died" Integration Error "A run had ended without saying so.";
    RouteEnabled "route.enabled" UserAction Info "A route was enabled.";
    RouteDisabled "route.disabled" UserAction Warning "A route was disabled.";
    RouteTakenOver "route.taken_over" Integration Warning "A route was taken over from a process that was stopped past its deadline.";
    RouteUnlocked "route.unlocked" UserAction Warning "The lock of a route was cleared.";
    PositionSet "position.set" UserAction Warning "The resume point of a route was set by hand.";
    PositionReset "position.reset" UserAction Warning "The resume point of a route was forgotten.";
    LettersClaimed "dead_letters.claimed" UserAction Info "Dead letters were taken for replay.";
    LettersReplayed "dead_letters.replayed" Integration Info "Dead letters were replayed.";
    LettersReleased "dead_letters.released" Integration Info "Dead letters went back to open.";
    LettersSuperseded "dead_letters.superseded" Integration Info "Dead letters were overtaken by later records.";
    LettersDiscarded "dead_letters.discarded" UserAction Warning "Dead letters were given up.";
    LettersPurged "dead_letters.purged" System Info "Dead letters past their time to live were deleted.";
    LetterShown "dead_letters.shown" UserAction Info "The content of a dead letter was looked at.";
    SignedIn "connector.signed_in" Security Info "A connector was signed in to; what was obtained is kept.";
    SignedOut "connector.signed_out" Security Info "A connector was signed out of; what was kept is forgotten.";
    StateBackedUp "state.backed_up" System Info "A copy of the state was made.";
    StateRestored "state.restored" UserAction Critical "The state was restored from a copy.";
    TargetAdopted "state.adopted" UserAction Warning "What a target knew of a route was taken over.";
    StateMigrated "state.migrated" System Info "The state's schema was brought up to date.";
    RuleRefused "compliance.refused" Compliance Error "A compliance rule refused to let data move.";
    RuleWarned "compliance.warned" Compliance Warning "A compliance rule was violated and only said so.";
    PlanSaved "plan.saved" UserAction Info "A plan of what a run would do was saved.";
    PlanApproved "plan.approved" UserAction Warning "Somebody approved of a plan.";
    ApprovalRefused "plan.approval_refused" Compliance Warning "Somebody's approval of a plan was not accepted.";
    KeyMade "key.made" Security Info "A version of a key that values are protected with was made.";
    KeyRetired "key.retired" Security Info "A version of a key protects no more.";
    KeyCompromised "key.compromised" Security Critical "Somebody else may know a version of a key.";
    KeyDestroyed "key.destroyed" Security Warning "A version of a key was destroyed.";
    KeyResealed "key.resealed" Security Info "A version of a key is sealed by another root.";
    KeyReencrypted "key.reencrypted" Security Info "What older versions of a key sealed in the state was sealed with the newest.";
    SubjectErased "subject.erased" Compliance Warning "The keys of a subject were destroyed, and a tombstone was left.";
    StandardsChecked "compliance.checked" Compliance Info "The project and its log were held against standards.";
    ReportMade "report.made" UserAction Info "A report was made.";
    ToolSeen "tool.seen" System Info "A build of consign wrote to this log for the first time.";
    TokensRotated "connector.tokens_rotated" Security Info "A connector's tokens were replaced by new ones.";
    DataViewed "data.viewed" UserAction Info "Records of a system were looked at.";
    DataCaptured "data.captured" UserAction Warning "Records of a system were written to a file.";
    OperationCalled "operation.called" UserAction Info "An operation of a system was called by hand.";
    LogViewed "audit.viewed" Security Info "Events of the log were looked at.";
    SubjectViewed "subject.viewed" Security Warning "What the log knows of one subject was looked at.";
    RuleFired "rule.fired" Compliance Warning "A rule over events fired.";
    AlertSent "alert.sent" System Info "An alert was sent.";
    AlertFailed "alert.failed" System Error "An alert could not be sent.";
    SlowOperation "operation.slow" Performance Warning "Something took longer than it should.";
    VerificationFailed "audit.verification_failed" Security Critical "The log did not verify.";
    RouteFrozen "route.frozen" Compliance Error "A route was disabled by a rule over events.";
    InventoryChanged "inventory.changed" Inventory Info "The quantity of an item changed.";
    Reviewed "audit.reviewed" Security Info "Somebody reviewed the log.";
    RecordsWithheld "records.withheld" Compliance Warning "Records were withheld from a target.";
}

/// An event before it has an id, a number and a time: those are given under the log's lock.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What happened.
    pub action: Action,
    /// What happened, in the words of a script: recorded as `custom.` and this, in place of the action.
    pub named: Option<String>,
    /// What it is about, where it is not what its action is about.
    pub category: Option<Category>,
    /// How much it matters.
    pub level: Level,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where a reason was given or is known.
    pub reason: Option<String>,
    /// What it happened to.
    pub resource: Option<String>,
    /// Who.
    pub actor: Option<String>,
    /// From where (terminal, cron, host).
    pub origin: Option<String>,
    /// On behalf of which tenant.
    pub tenant: Option<String>,
    /// In which run.
    pub run: Option<String>,
    /// On which route.
    pub route: Option<String>,
    /// Under which configuration (its hash).
    pub config: Option<String>,
    /// Whatever else: counts, digests, names. Never a raw value of a record.
    pub details: Map<String, Value>,
    /// The classes of the data that it is about, by name.
    pub classes: Vec<&'static str>,
    /// Checks that were made and how they ended: id and `pass`, `fail`, `warn`, `not_applicable`, `not_tested`.
    pub checks: Vec<(String, String)>,
    /// Whom it is about, as keyed hashes of the keys that they are known by: the store puts pseudonyms in their place.
    pub about: Vec<u128>,
    /// Whom it is about, by pseudonym.
    pub subjects: Vec<String>,
    /// Who stands behind the actor, where it is told apart.
    pub on_behalf_of: Option<String>,
    /// What kind of somebody the actor is, where it is not whoever runs this process.
    pub actor_kind: Option<&'static str>,
    /// The address that it came from, where it is not this process's.
    pub ip: Option<String>,
    /// What the score is computed from beside action, level, outcome and actor.
    pub weighed: Inputs,
    /// 0 (none) to 1: no lower than this is the score.
    pub risk: f64,
}

impl Draft {
    /// A successful event of this action with its usual level.
    pub fn new(action: Action) -> Self {
        Self {
            action,
            named: None,
            category: None,
            level: action.level(),
            outcome: Outcome::Success,
            reason: None,
            resource: None,
            actor: None,
            origin: None,
            tenant: None,
            run: None,
            route: None,
            config: None,
            details: Map::new(),
            classes: Vec::new(),
            checks: Vec::new(),
            about: Vec::new(),
            subjects: Vec::new(),
            on_behalf_of: None,
            actor_kind: None,
            ip: None,
            weighed: Inputs::default(),
            risk: 0.0,
        }
    }

    /// The word of what happened.
    pub fn word(&self) -> Cow<'static, str> {
        match &self.named {
            Some(name) => Cow::Owned(format!("{CUSTOM}{name}")),
            None => Cow::Borrowed(self.action.word()),
        }
    }

    /// What it is about.
    pub fn about_what(&self) -> Category {
        self.category.unwrap_or_else(|| self.action.category())
    }

    /// What the score of the event this becomes is computed from.
    pub fn inputs(&self, session: &Session) -> Inputs {
        let inputs = self.weighed.with_action(self.action, self.level, self.outcome);
        let kind = self.actor_kind.or(session.actor_kind);
        let (privilege, inputs) = (risk::privilege(kind), inputs.with_hour(session.off_hours, kind));
        Inputs {
            privilege: inputs.privilege.max(privilege),
            floor: inputs.floor.max(self.risk.clamp(0.0, 1.0)),
            ..inputs
        }
    }

    /// Adds a detail.
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_string(), value.into());
        self
    }

    /// The canonical body of the event this becomes, written as it stands: its members in their
    /// canonical order, so that nothing is built only to be sorted.
    pub fn body(&self, stamp: &Stamp, session: &Session) -> Vec<u8> {
        // As much as most need, and no more than an allocator has at hand.
        let mut out = Vec::with_capacity(768);
        let text = |out: &mut Vec<u8>, name: &str, value: Option<&str>| {
            if let Some(value) = value {
                out.push(if out.is_empty() { b'{' } else { b',' });
                canonical::write_text(name, out);
                out.push(b':');
                canonical::write_text(value, out);
            }
        };
        let whole = |out: &mut Vec<u8>, name: &str, value: u64| {
            out.extend_from_slice(name.as_bytes());
            canonical::write_whole(value, out);
        };
        // Nanoseconds as text: a double cannot hold them.
        let moment = |out: &mut Vec<u8>, name: &str, value: i64| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(if value < 0 { b"\"-" } else { b"\"" });
            canonical::write_whole(value.unsigned_abs(), out);
            out.push(b'"');
        };
        // Of an actor that is named apart, kind and principal of this process say nothing.
        let own = self.actor.is_none() || self.actor == session.actor;
        let kind = self.actor_kind.or(session.actor_kind.filter(|_| own));
        let behind = self.on_behalf_of.as_deref().or(session.on_behalf_of.as_deref().filter(|_| own));
        text(&mut out, "action", Some(&self.word()));
        text(&mut out, "actor", self.actor.as_deref().or(session.actor.as_deref()));
        text(&mut out, "actor_kind", kind);
        text(&mut out, "category", Some(self.about_what().word()));
        if !self.checks.is_empty() {
            let checks = self.checks.iter().map(|(id, status)| json!({ "id": id, "status": status })).collect();
            out.extend_from_slice(b",\"checks\":");
            canonical::write(&Value::Array(checks), &mut out);
        }
        if let Some(Ok(ci)) = session.ci.as_ref().map(serde_json::to_value) {
            out.extend_from_slice(b",\"ci\":");
            canonical::write(&ci, &mut out);
        }
        if !self.classes.is_empty() {
            out.extend_from_slice(b",\"classes\":");
            canonical::write(&json!(self.classes), &mut out);
        }
        if stamp.clock_ns != stamp.ts_ns {
            moment(&mut out, ",\"clock\":", stamp.clock_ns);
        }
        text(&mut out, "config", self.config.as_deref());
        if !self.details.is_empty() {
            out.extend_from_slice(b",\"details\":");
            canonical::write_map(&self.details, &mut out);
        }
        text(&mut out, "environment", session.environment.as_deref());
        text(&mut out, "host", session.host.as_deref());
        text(&mut out, "id", Some(&stamp.id));
        text(&mut out, "ip", self.ip.as_deref().or(session.ip.as_deref()));
        text(&mut out, "level", Some(self.level.word()));
        text(&mut out, "on_behalf_of", behind);
        text(&mut out, "origin", self.origin.as_deref().or(session.origin));
        text(&mut out, "outcome", Some(self.outcome.word()));
        if let Some(pid) = session.pid {
            whole(&mut out, ",\"pid\":", u64::from(pid));
        }
        text(&mut out, "reason", self.reason.as_deref());
        text(&mut out, "resource", self.resource.as_deref());
        let inputs = self.inputs(session);
        out.extend_from_slice(b",\"risk\":");
        canonical::write_double(inputs.score(), &mut out);
        out.extend_from_slice(b",\"risk_inputs\":");
        inputs.write(&mut out);
        text(&mut out, "route", self.route.as_deref());
        text(&mut out, "run", self.run.as_deref());
        whole(&mut out, ",\"seq\":", stamp.seq);
        if !self.subjects.is_empty() {
            out.extend_from_slice(b",\"subjects\":");
            canonical::write(&json!(self.subjects), &mut out);
        }
        text(&mut out, "tenant", self.tenant.as_deref());
        moment(&mut out, ",\"time\":", stamp.ts_ns);
        text(&mut out, "tool", session.tool.as_deref());
        whole(&mut out, ",\"v\":", VERSION);
        out.push(b'}');
        out
    }
}

/// What the log gives to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// See [`id`].
    pub id: String,
    /// Its number in the log.
    pub seq: u64,
    /// Its time: never before that of the event before it. Nanoseconds since 1970.
    pub ts_ns: i64,
    /// What the system clock said, which may have gone backwards.
    pub clock_ns: i64,
}

/// An event as it is read back from its body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Version of the body.
    pub v: u64,
    /// See [`id`].
    pub id: String,
    /// Its number in the log.
    pub seq: u64,
    /// Nanoseconds since 1970.
    #[serde(with = "nanoseconds")]
    pub time: i64,
    /// What the system clock said, if it had gone backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// How much it matters.
    pub level: Level,
    /// What it is about.
    pub category: Category,
    /// What happened. Text, so that events of later versions can be shown.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// To what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// For which tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// In which run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// On which route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Under which configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Whatever else.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
    /// What kind of somebody the actor is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_kind: Option<String>,
    /// Who stands behind the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// The machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The address it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The run of a CI system, as it claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<Ci>,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What the configuration in force was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The classes of the data that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Checks that were made and how they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Checked>,
    /// Pseudonyms of whom it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// 0 to 1.
    pub risk: f64,
    /// What that was computed from; an older consign kept none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_inputs: Option<Inputs>,
}

/// A check and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Its id.
    pub id: String,
    /// `pass`, `fail`, `warn`, `not_applicable` or `not_tested`.
    pub status: String,
}

impl Event {
    /// What is left of an event whose body was redacted, or a beginning for tests.
    pub fn bare(seq: u64, time: i64, action: &str) -> Self {
        Self {
            v: VERSION,
            id: String::new(),
            seq,
            time,
            clock: None,
            level: Level::Info,
            category: Category::System,
            action: action.to_string(),
            outcome: Outcome::Unknown,
            reason: None,
            resource: None,
            actor: None,
            origin: None,
            tenant: None,
            run: None,
            route: None,
            config: None,
            details: Map::new(),
            actor_kind: None,
            on_behalf_of: None,
            host: None,
            pid: None,
            ip: None,
            ci: None,
            tool: None,
            environment: None,
            classes: Vec::new(),
            checks: Vec::new(),
            subjects: Vec::new(),
            risk: 0.0,
            risk_inputs: None,
        }
    }

    /// Reads a stored body.
    ///
    /// # Errors
    /// What is wrong with it, one sentence.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("its body cannot be read: {error}"))
    }
}

/// Nanoseconds as text: a double cannot hold them.
mod nanoseconds {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(ns: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(ns)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("a time that is no whole number"))
    }
}

/// An id that sorts by time (UUID version 7, RFC 9562): 48 bits of milliseconds, the rest random.
pub fn id(ts_ns: i64, random: [u8; 16]) -> String {
    let mut bytes = random;
    let millis = (ts_ns.max(0) / 1_000_000) as u64;
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut out = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_7_and_sort_by_time() {
        let early = id(1_700_000_000_000_000_000, [0xff; 16]);
        assert_eq!(early, "018bcfe5-6800-7fff-bfff-ffffffffffff");
        assert!(early < id(1_700_000_000_001_000_000, [0; 16]));
    }

    #[test]
    fn a_body_reads_back_as_what_was_written() {
        let mut draft = Draft::new(Action::GroupSettled).detail("written", 5u64).detail("big", u64::MAX);
        draft.route = Some("orders".into());
        draft.risk = 0.25;
        let stamp = Stamp { id: id(5, [0; 16]), seq: 9, ts_ns: 1_700_000_000_123_456_789, clock_ns: 3 };
        let body = draft.body(&stamp, &Session::default());
        let event = Event::read(&body).expect("event");
        assert_eq!((event.seq, event.time, event.risk), (9, stamp.ts_ns, 0.25));
        assert_eq!(event.risk_inputs.expect("inputs").score(), event.risk);
        assert_eq!(event.action, "group.settled");
        assert_eq!(event.clock.as_deref(), Some("3"));
        assert_eq!(event.details["big"], json!(u64::MAX.to_string()));
        let keys: Vec<&str> = ["action", "category", "clock", "details", "id"].into();
        let text = String::from_utf8(body).expect("utf-8");
        let places: Vec<usize> = keys.iter().map(|k| text.find(&format!("\"{k}\":")).expect(k)).collect();
        assert!(places.is_sorted(), "{text}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(crate::soak::rounds(100)))]
        #[test]
        fn a_body_is_written_in_canonical_form(texts in proptest::array::uniform14(proptest::option::of(".*")), key in ".*", n: i64, ts: i64, clock: i64, risk in -1.0f64..2.0) {
            let mut draft = Draft::new(Action::AuditNote).detail(&key, n).detail("b", risk).detail("a", serde_json::json!({ "z": [n], "y": null }));
            let [reason, resource, actor, origin, tenant, run, route, config, own, host, ip, tool, environment, behind] = texts;
            let subjects: Vec<String> = behind.iter().cloned().collect();
            let checks = vec![("P01".to_string(), "pass".to_string())];
            draft = Draft { reason, resource, actor, origin, tenant, run, route, config, risk, subjects, checks, classes: vec!["pii.name"], ..draft };
            let ci = host.as_ref().map(|run| Ci { system: "github".into(), run: Some(run.clone()), claimed: true, ..Ci::default() });
            let session = Session { actor: own, host, ip, tool, environment, on_behalf_of: behind, ci, pid: Some(7), origin: Some("cron"), actor_kind: Some("service"), off_hours: true };
            let body = draft.body(&Stamp { id: id(ts, [9; 16]), seq: 7, ts_ns: ts, clock_ns: clock }, &session);
            let value: Value = serde_json::from_slice(&body).expect("JSON");
            proptest::prop_assert_eq!(canonical::bytes(&value), body.clone());
            let event = Event::read(&body).expect("event");
            proptest::prop_assert_eq!(event.pid, Some(7));
        }
    }

    #[test]
    fn every_word_leads_back() {
        for action in Action::ALL {
            assert_eq!(Action::of(action.word()), Some(*action));
            assert!(action.word().contains('.') && action.about().ends_with('.'));
        }
        for level in Level::ALL {
            assert_eq!(Level::of(level.word()), Some(*level));
        }
    }
}
