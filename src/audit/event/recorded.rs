//! An event as it is read back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Category, Level, Outcome, VERSION};
use crate::audit::risk::Inputs;
use crate::audit::session::Ci;

/// An event as it is read back from its body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
        Self { v: VERSION, seq, time, action: action.to_string(), ..Self::default() }
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
