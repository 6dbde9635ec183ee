//! An event that is about to be recorded, and the body that it gets.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{Action, CUSTOM, Category, Level, Outcome, VERSION};
use crate::audit::canonical;
use crate::audit::risk::{self, Inputs};
use crate::audit::session::Session;

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

    /// The canonical body of the event this becomes.
    pub fn body(&self, stamp: &Stamp, session: &Session) -> Vec<u8> {
        // As much as most need, and no more than an allocator has at hand.
        let mut out = Vec::with_capacity(768);
        self.write_body(stamp, session, &mut out);
        out
    }

    /// Appends the canonical body of the event this becomes, written as it stands: its members in their
    /// canonical order, so that nothing is built only to be sorted.
    pub fn write_body(&self, stamp: &Stamp, session: &Session, out: &mut Vec<u8>) {
        let begin = out.len();
        let text = |out: &mut Vec<u8>, name: &str, value: Option<&str>| {
            if let Some(value) = value {
                out.push(if out.len() == begin { b'{' } else { b',' });
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
        text(out, "action", Some(&self.word()));
        text(out, "actor", self.actor.as_deref().or(session.actor.as_deref()));
        text(out, "actor_kind", kind);
        text(out, "category", Some(self.about_what().word()));
        if !self.checks.is_empty() {
            let checks = self.checks.iter().map(|(id, status)| json!({ "id": id, "status": status })).collect();
            out.extend_from_slice(b",\"checks\":");
            canonical::write(&Value::Array(checks), out);
        }
        if let Some(Ok(ci)) = session.ci.as_ref().map(serde_json::to_value) {
            out.extend_from_slice(b",\"ci\":");
            canonical::write(&ci, out);
        }
        if !self.classes.is_empty() {
            out.extend_from_slice(b",\"classes\":");
            canonical::write(&json!(self.classes), out);
        }
        if stamp.clock_ns != stamp.ts_ns {
            moment(out, ",\"clock\":", stamp.clock_ns);
        }
        text(out, "config", self.config.as_deref());
        if !self.details.is_empty() {
            out.extend_from_slice(b",\"details\":");
            canonical::write_map(&self.details, out);
        }
        text(out, "environment", session.environment.as_deref());
        text(out, "host", session.host.as_deref());
        text(out, "id", Some(&stamp.id));
        text(out, "ip", self.ip.as_deref().or(session.ip.as_deref()));
        text(out, "level", Some(self.level.word()));
        text(out, "on_behalf_of", behind);
        text(out, "origin", self.origin.as_deref().or(session.origin));
        text(out, "outcome", Some(self.outcome.word()));
        if let Some(pid) = session.pid {
            whole(out, ",\"pid\":", u64::from(pid));
        }
        text(out, "reason", self.reason.as_deref());
        text(out, "resource", self.resource.as_deref());
        let inputs = self.inputs(session);
        out.extend_from_slice(b",\"risk\":");
        canonical::write_double(inputs.score(), out);
        out.extend_from_slice(b",\"risk_inputs\":");
        inputs.write(out);
        text(out, "route", self.route.as_deref());
        text(out, "run", self.run.as_deref());
        whole(out, ",\"seq\":", stamp.seq);
        if !self.subjects.is_empty() {
            out.extend_from_slice(b",\"subjects\":");
            canonical::write(&json!(self.subjects), out);
        }
        text(out, "tenant", self.tenant.as_deref());
        moment(out, ",\"time\":", stamp.ts_ns);
        text(out, "tool", session.tool.as_deref());
        whole(out, ",\"v\":", VERSION);
        out.push(b'}');
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
