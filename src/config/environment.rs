//! Environment variables: the one place that reads them, and the written-out list of those that
//! have a meaning of their own, from which the reference page is made.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// A variable that consign looks at.
#[derive(Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Whether its value is a secret.
    pub secret: bool,
}

const fn var(name: &'static str, about: &'static str) -> EnvVar {
    EnvVar { name, about, secret: false }
}

/// The folder of the state.
pub static CONSIGN_STATE: EnvVar = var("CONSIGN_STATE", "The folder of the state, as `--state`.");
/// The configuration.
pub static CONSIGN_CONFIG: EnvVar = var("CONSIGN_CONFIG", "The configuration file, as `--config`.");
/// The profile.
pub static CONSIGN_PROFILE: EnvVar = var("CONSIGN_PROFILE", "The profile of the configuration, as `--profile`.");
/// How long a run may be silent.
pub static CONSIGN_LOCK_DEADLINE: EnvVar = var(
    "CONSIGN_LOCK_DEADLINE",
    "How long a run that is stopped may give no sign of life before another takes its route over, as in `60s`; 60 s if not set. `defaults: { lock_deadline }` wins.",
);
/// How long a run may drain.
pub static CONSIGN_GRACE: EnvVar = var(
    "CONSIGN_GRACE",
    "How long a run may drain after the first SIGTERM or SIGINT before it leaves as it is, as in `20s`, which holds if it is not set; `sync run --grace` wins. Keep it below what the scheduler waits before it kills.",
);
/// Time-outs.
pub static INTEGRATION_TIMEOUT: EnvVar = var(
    "INTEGRATION_TIMEOUT",
    "Seconds to wait for a system to connect or to answer, where the connector does not say it (`timeout`, `connect_timeout`). Files and SQLite databases have neither: what they wait for is a lock (`busy_timeout`).",
);
/// Retries.
pub static INTEGRATION_RETRY_COUNT: EnvVar = var(
    "INTEGRATION_RETRY_COUNT",
    "How often a failing call is made again, 0 to 19, where the configuration has no `retry: { tries }`; `tries` counts the first call too. Files and SQLite databases make no calls.",
);
/// Rate limits.
pub static INTEGRATION_RATE_LIMIT: EnvVar = var(
    "INTEGRATION_RATE_LIMIT",
    "Calls in a minute at most to each system that is called over a network (`postgres`, `sftp`), where the connector does not say it (`limits: { rate }`). Evenly spaced; a call is a part that is read or a group that is written. Files and SQLite databases make no calls.",
);
/// The wrapping key of the audit log.
pub static CONSIGN_AUDIT_KEY: EnvVar =
    EnvVar { secret: true, ..var("CONSIGN_AUDIT_KEY", "The key that wraps the current key of the audit log.") };
/// Its other name.
pub static AUDIT_SECRET_KEY: EnvVar = EnvVar {
    secret: true,
    ..var("AUDIT_SECRET_KEY", "Another name of CONSIGN_AUDIT_KEY, which wins if both are set.")
};
/// How long events are kept.
pub static AUDIT_RETENTION_DAYS: EnvVar = var(
    "AUDIT_RETENTION_DAYS",
    "How many days events are kept, where the configuration has no `audit: { retention }`. `consign audit prune` goes by it.",
);
/// How many events are kept.
pub static AUDIT_MAX_EVENTS: EnvVar = var(
    "AUDIT_MAX_EVENTS",
    "How many events are kept at most, where the configuration has no `audit: { max_events }`. `consign audit prune` goes by it.",
);
/// Whether standards keep events longer.
pub static AUDIT_COMPLIANCE_ENABLED: EnvVar = var(
    "AUDIT_COMPLIANCE_ENABLED",
    "`false`: retention does not respect how long the project's standards ask to keep events. `true` if not set.",
);
/// Whether the project is held to SOX.
pub static COMPLIANCE_SOX_ENABLED: EnvVar = var(
    "COMPLIANCE_SOX_ENABLED",
    "`true`: the project is held to SOX, as if it stood under `compliance: { standards }`; `false`: it is not, even if it stands there. Not set: what the configuration says.",
);
/// Whether the project is held to PCI DSS.
pub static COMPLIANCE_PCI_DSS_ENABLED: EnvVar = var(
    "COMPLIANCE_PCI_DSS_ENABLED",
    "`true`: the project is held to PCI DSS, as if it stood under `compliance: { standards }`; `false`: it is not, even if it stands there. Not set: what the configuration says.",
);
/// Whether the project is held to GDPR.
pub static COMPLIANCE_GDPR_ENABLED: EnvVar = var(
    "COMPLIANCE_GDPR_ENABLED",
    "`true`: the project is held to GDPR, as if it stood under `compliance: { standards }`; `false`: it is not, even if it stands there. Not set: what the configuration says.",
);
/// Whether the project is held to HIPAA.
pub static COMPLIANCE_HIPAA_ENABLED: EnvVar = var(
    "COMPLIANCE_HIPAA_ENABLED",
    "`true`: the project is held to HIPAA, as if it stood under `compliance: { standards }`; `false`: it is not, even if it stands there. Not set: what the configuration says.",
);
/// Whether the project is held to ISO/IEC 27001.
pub static COMPLIANCE_ISO27001_ENABLED: EnvVar = var(
    "COMPLIANCE_ISO27001_ENABLED",
    "`true`: the project is held to ISO/IEC 27001, as if it stood under `compliance: { standards }`; `false`: it is not, even if it stands there. Not set: what the configuration says.",
);
/// Whether the project is held to CCPA.
pub static COMPLIANCE_CCPA_ENABLED: EnvVar = var(
    "COMPLIANCE_CCPA_ENABLED",
    "`true`: the project is held to CCPA, as if it stood under `compliance: { standards }`; `false`: it is not, even if it stands there. Not set: what the configuration says.",
);
/// Whether the project is held to SOC 2.
pub static COMPLIANCE_SOC2_ENABLED: EnvVar = var(
    "COMPLIANCE_SOC2_ENABLED",
    "`true`: the project is held to SOC 2, as if it stood under `compliance: { standards }`; `false`: it is not, even if it stands there. Not set: what the configuration says.",
);
/// What started consign.
pub static CONSIGN_ORIGIN: EnvVar = var(
    "CONSIGN_ORIGIN",
    "What started consign, for the audit log, where it cannot tell by itself or is wrong: `terminal`, `cron`, `systemd`, `kubernetes`, `ci`, `script`.",
);
/// The folder of what programs remember of their user.
pub static XDG_STATE_HOME: EnvVar = var(
    "XDG_STATE_HOME",
    "Where consign keeps its pins: what you last knew of each audit log, outside of the state. `~/.local/state` if not set.",
);
/// No colour.
pub static NO_COLOR: EnvVar = var("NO_COLOR", "Any value but an empty one: no colour in the output.");
/// A CI system.
pub static CI: EnvVar = var("CI", "Any value but an empty one: no prompts and no bars, as in a pipeline.");
/// The user's configuration.
pub static XDG_CONFIG_HOME: EnvVar = var(
    "XDG_CONFIG_HOME",
    "The folder of your own configuration; `~/.config` if not set. Commands for `${cmd:NAME}` are allowed there.",
);
/// The home folder.
pub static HOME: EnvVar = var("HOME", "Your home folder.");
/// Soak tests.
pub static CONSIGN_SOAK: EnvVar = var("CONSIGN_SOAK", "In tests: the least number of rounds of what is random.");
/// Fresh pages.
pub static CONSIGN_UPDATE: EnvVar =
    var("CONSIGN_UPDATE", "In tests: write generated pages anew instead of comparing them.");

/// The written-out list.
pub static ALL: &[&EnvVar] = &[
    &CONSIGN_CONFIG,
    &CONSIGN_PROFILE,
    &CONSIGN_STATE,
    &CONSIGN_LOCK_DEADLINE,
    &CONSIGN_GRACE,
    &INTEGRATION_TIMEOUT,
    &INTEGRATION_RETRY_COUNT,
    &INTEGRATION_RATE_LIMIT,
    &CONSIGN_AUDIT_KEY,
    &AUDIT_SECRET_KEY,
    &AUDIT_RETENTION_DAYS,
    &AUDIT_MAX_EVENTS,
    &AUDIT_COMPLIANCE_ENABLED,
    &COMPLIANCE_SOX_ENABLED,
    &COMPLIANCE_PCI_DSS_ENABLED,
    &COMPLIANCE_GDPR_ENABLED,
    &COMPLIANCE_HIPAA_ENABLED,
    &COMPLIANCE_ISO27001_ENABLED,
    &COMPLIANCE_CCPA_ENABLED,
    &COMPLIANCE_SOC2_ENABLED,
    &CONSIGN_ORIGIN,
    &XDG_STATE_HOME,
    &NO_COLOR,
    &CI,
    &XDG_CONFIG_HOME,
    &HOME,
    &CONSIGN_SOAK,
    &CONSIGN_UPDATE,
];

/// Where variables are looked up: the process's own environment, or a fixed one in a test.
#[derive(Clone, Default)]
pub struct Environment {
    fixed: Option<BTreeMap<String, OsString>>,
}

/// Names only: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.fixed {
            None => f.write_str("Environment(process)"),
            Some(fixed) => f.debug_list().entries(fixed.keys()).finish(),
        }
    }
}

impl Environment {
    /// The environment of this process.
    pub fn process() -> Self {
        Self { fixed: None }
    }

    /// Only these variables.
    pub fn of<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        let fixed = variables.into_iter().map(|(name, value)| (name.to_owned(), OsString::from(value))).collect();
        Self { fixed: Some(fixed) }
    }

    /// The value as the operating system has it.
    pub fn get(&self, name: &str) -> Option<OsString> {
        match &self.fixed {
            Some(fixed) => fixed.get(name).cloned(),
            None if name.is_empty() || name.contains(['=', '\0']) => None,
            None => std::env::var_os(name),
        }
    }

    /// The value of one of ours, if it is set, not empty and text.
    pub fn read(&self, variable: &EnvVar) -> Option<String> {
        self.get(variable.name)?.into_string().ok().filter(|value| !value.is_empty())
    }

    /// Whether one of ours is set and not empty.
    pub fn is_set(&self, variable: &EnvVar) -> bool {
        self.get(variable.name).is_some_and(|value| !value.is_empty())
    }

    /// Where pins of audit logs are kept, outside of the state.
    pub fn pins_folder(&self) -> Option<PathBuf> {
        let absolute = |variable| self.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || absolute(HOME.name).map(|home| home.join(".local/state"));
        Some(absolute(XDG_STATE_HOME.name).or_else(home)?.join("consign/pins"))
    }

    /// consign's folder in the user's own configuration.
    pub fn config_folder(&self) -> Option<PathBuf> {
        let absolute = |variable| self.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute(XDG_CONFIG_HOME.name).or_else(|| absolute(HOME.name).map(|home| home.join(".config")))?;
        Some(base.join("consign"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_listed_once() {
        let own = include_str!("environment.rs");
        let made = own.lines().filter(|line| line.starts_with("pub static ") && line.contains(": EnvVar")).count();
        assert_eq!(made, ALL.len(), "add the variable to ALL");
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|variable| variable.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|variable| variable.about.ends_with('.')));
    }

    #[test]
    fn values_are_not_shown() {
        let environment = Environment::of([("CONSIGN_AUDIT_KEY", "canary"), ("EMPTY", "")]);
        assert_eq!(format!("{environment:?}"), r#"["CONSIGN_AUDIT_KEY", "EMPTY"]"#);
        assert_eq!(environment.read(&CONSIGN_AUDIT_KEY).as_deref(), Some("canary"));
        assert!(!environment.is_set(&NO_COLOR));
        let environment = Environment::of([("HOME", "/home/me"), ("XDG_CONFIG_HOME", "relative")]);
        assert_eq!(environment.config_folder(), Some(PathBuf::from("/home/me/.config/consign")));
    }
}
