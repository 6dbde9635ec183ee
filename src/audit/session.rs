//! Who does what is recorded, from where, and with which program: the same for every event of a process.

use serde::{Deserialize, Serialize};

/// What every event of this process carries. Everything is optional: a test has none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Who: the name of the account.
    pub actor: Option<String>,
    /// What kind of somebody: `person`, `admin`, `service`, `pipeline`.
    pub actor_kind: Option<&'static str>,
    /// Who stands behind the account, where it was changed (`sudo`).
    pub on_behalf_of: Option<String>,
    /// From where: `terminal`, `cron`, `systemd`, `kubernetes`, `ci`, `script`.
    pub origin: Option<&'static str>,
    /// The machine.
    pub host: Option<String>,
    /// The process.
    pub pid: Option<u32>,
    /// The address that the terminal was reached from, where it says so.
    pub ip: Option<String>,
    /// The run of a CI system, as its variables claim.
    pub ci: Option<Ci>,
    /// The program: version and the first digits of the hash of its file.
    pub tool: Option<String>,
    /// What the configuration in force is for (`production`).
    pub environment: Option<String>,
    /// Whether it is night or a weekend where this runs: out of the ordinary for a person, not for a schedule.
    pub off_hours: bool,
}

/// The run of a CI system. Nobody checked it: anybody can set variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ci {
    /// Which system (`github`).
    pub system: String,
    /// Its id of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Who made it run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Which commit it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Always true: what stands here is a claim.
    pub claimed: bool,
}

impl Session {
    /// The word of a kind of somebody.
    pub fn kind_of(word: &str) -> Option<&'static str> {
        ["person", "admin", "service", "pipeline", "break_glass"].into_iter().find(|known| *known == word)
    }
}
