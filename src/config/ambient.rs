//! What the environment says where the configuration says nothing: time-outs, tries, deadlines.
//!
//! A container is often tuned by its environment alone. A value in the configuration wins; a value
//! that cannot be read is an error, for it would be an option that silently does not hold.

use std::time::Duration;

use super::environment::{
    AUDIT_COMPLIANCE_ENABLED, AUDIT_MAX_EVENTS, AUDIT_RETENTION_DAYS, COMPLIANCE_CCPA_ENABLED, COMPLIANCE_GDPR_ENABLED,
    COMPLIANCE_HIPAA_ENABLED, COMPLIANCE_ISO27001_ENABLED, COMPLIANCE_PCI_DSS_ENABLED, COMPLIANCE_SOC2_ENABLED,
    COMPLIANCE_SOX_ENABLED, CONSIGN_GRACE, CONSIGN_LOCK_DEADLINE, EnvVar, Environment, INTEGRATION_RATE_LIMIT,
    INTEGRATION_RETRY_COUNT, INTEGRATION_TIMEOUT,
};
use super::units;
use crate::error::{Error, Kind, Result, codes::config as codes};

/// What the environment says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ambient {
    /// How long to wait for a system to answer.
    pub timeout: Option<Duration>,
    /// How often a failing call is made at most: one more than the retries asked for.
    pub tries: Option<u32>,
    /// Calls in a minute at most.
    pub rate: Option<u32>,
    /// How long a stopped run may be silent before another takes its route over.
    pub lock_deadline: Option<Duration>,
    /// How long a run may drain after the first signal.
    pub grace: Option<Duration>,
    /// How long events are kept, in days.
    pub retention_days: Option<u32>,
    /// How many events are kept at most.
    pub max_events: Option<u32>,
    /// Whether retention respects what standards ask for at least.
    pub standards_hold: Option<bool>,
    /// Standards that the project is held to, or not, whatever the configuration says.
    pub standards: Switches,
}

/// Standards that were switched on or off, in the order of [`STANDARDS`].
pub type Switches = [Option<bool>; STANDARDS.len()];

/// The standards that have a switch, each with it.
pub const STANDARDS: &[(&str, &EnvVar)] = &[
    ("sox", &COMPLIANCE_SOX_ENABLED),
    ("pci_dss", &COMPLIANCE_PCI_DSS_ENABLED),
    ("gdpr", &COMPLIANCE_GDPR_ENABLED),
    ("hipaa", &COMPLIANCE_HIPAA_ENABLED),
    ("iso27001", &COMPLIANCE_ISO27001_ENABLED),
    ("ccpa", &COMPLIANCE_CCPA_ENABLED),
    ("soc2", &COMPLIANCE_SOC2_ENABLED),
];

impl Ambient {
    /// Reads the variables.
    ///
    /// # Errors
    /// [`Kind::Invalid`], naming the variable whose value cannot be read.
    pub fn of(environment: &Environment) -> Result<Self> {
        let mut standards = Switches::default();
        for (switched, (_, variable)) in standards.iter_mut().zip(STANDARDS) {
            *switched = switch(environment, variable)?;
        }
        Ok(Self {
            standards,
            timeout: length(environment, &INTEGRATION_TIMEOUT, 3600)?,
            tries: whole(environment, &INTEGRATION_RETRY_COUNT, 0, 19)?.map(|retries| retries + 1),
            rate: whole(environment, &INTEGRATION_RATE_LIMIT, 1, 1_000_000)?,
            lock_deadline: length(environment, &CONSIGN_LOCK_DEADLINE, 86_400)?,
            grace: length(environment, &CONSIGN_GRACE, 3600)?,
            retention_days: whole(environment, &AUDIT_RETENTION_DAYS, 1, 36_500)?,
            max_events: whole(environment, &AUDIT_MAX_EVENTS, 1, u32::MAX)?,
            standards_hold: switch(environment, &AUDIT_COMPLIANCE_ENABLED)?,
        })
    }
}

impl Ambient {
    /// The standards in force: those of the configuration, with what was switched on and without what was
    /// switched off.
    pub fn standards(&self, mut said: Vec<String>) -> Vec<String> {
        let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        for (switched, (name, _)) in self.standards.iter().zip(STANDARDS) {
            // `pci` and `PCI-DSS` are the same standard.
            let same = |one: &String| plain(one) == plain(name) || plain(name) == format!("{}dss", plain(one));
            match switched {
                Some(true) if !said.iter().any(same) => said.push((*name).to_string()),
                Some(false) => said.retain(|one| !same(one)),
                _ => {}
            }
        }
        said
    }
}

/// Seconds as a plain number, or a length of time.
fn length(environment: &Environment, variable: &EnvVar, most: u64) -> Result<Option<Duration>> {
    let Some(text) = environment.read(variable) else { return Ok(None) };
    let plain = text.bytes().all(|b| b.is_ascii_digit()).then(|| format!("{text}s"));
    match units::length(plain.as_deref().unwrap_or(&text)) {
        Ok(length) if (1..=most).contains(&length.as_secs()) => Ok(Some(length)),
        Ok(_) => Err(wrong(variable, &format!("it is not between 1 s and {most} s"))),
        Err(what) => Err(wrong(variable, &what)),
    }
}

fn switch(environment: &Environment, variable: &EnvVar) -> Result<Option<bool>> {
    match environment.read(variable).as_deref() {
        None => Ok(None),
        Some("true" | "1" | "yes") => Ok(Some(true)),
        Some("false" | "0" | "no") => Ok(Some(false)),
        Some(_) => Err(wrong(variable, "it is neither `true` nor `false`")),
    }
}

fn whole(environment: &Environment, variable: &EnvVar, least: u32, most: u32) -> Result<Option<u32>> {
    let Some(text) = environment.read(variable) else { return Ok(None) };
    match text.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(wrong(variable, &format!("it is no whole number between {least} and {most}"))),
    }
}

fn wrong(variable: &EnvVar, what: &str) -> Error {
    Error::new(
        Kind::Invalid,
        &codes::BAD_VARIABLE,
        format!("the environment variable {} cannot be used: {what}", variable.name),
    )
    .hint(format!("{}: {}", variable.name, variable.about))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The switches of the environment: on adds, off takes away, and nothing said changes nothing.
    #[test]
    fn standards_are_switched_on_and_off() {
        let check = |variables: &[(&str, &str)], said: &[&str], expected: &[&str]| {
            let ambient = Ambient::of(&Environment::of(variables.iter().copied())).unwrap();
            let said = said.iter().map(ToString::to_string).collect();
            assert_eq!(ambient.standards(said), expected, "{variables:?}");
        };
        check(&[], &["gdpr"], &["gdpr"]);
        check(&[("COMPLIANCE_SOX_ENABLED", "true")], &["gdpr"], &["gdpr", "sox"]);
        check(&[("COMPLIANCE_PCI_DSS_ENABLED", "true")], &["PCI-DSS"], &["PCI-DSS"]);
        check(&[("COMPLIANCE_PCI_DSS_ENABLED", "false")], &["pci", "gdpr"], &["gdpr"]);
        check(&[("COMPLIANCE_HIPAA_ENABLED", "false"), ("COMPLIANCE_ISO27001_ENABLED", "true")], &[], &["iso27001"]);
        let wrong = Ambient::of(&Environment::of([("COMPLIANCE_GDPR_ENABLED", "maybe")])).unwrap_err();
        assert!(wrong.cause().contains("COMPLIANCE_GDPR_ENABLED"), "{wrong}");
    }

    #[test]
    fn values_are_read_and_bad_ones_name_their_variable() {
        let of = |name: &str, value: &str| Ambient::of(&Environment::of([(name, value)]));
        assert_eq!(Ambient::of(&Environment::of([])).unwrap(), Ambient::default());
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(of("INTEGRATION_TIMEOUT", "30").unwrap().timeout, seconds(30));
        assert_eq!(of("INTEGRATION_TIMEOUT", "2m").unwrap().timeout, seconds(120));
        assert_eq!(of("INTEGRATION_RETRY_COUNT", "3").unwrap().tries, Some(4));
        assert_eq!(of("INTEGRATION_RETRY_COUNT", "0").unwrap().tries, Some(1));
        assert_eq!(of("INTEGRATION_RATE_LIMIT", "100").unwrap().rate, Some(100));
        assert_eq!(of("CONSIGN_LOCK_DEADLINE", "90s").unwrap().lock_deadline, seconds(90));
        assert_eq!(of("CONSIGN_GRACE", "8s").unwrap().grace, seconds(8));
        // Set and empty is not set.
        assert_eq!(of("INTEGRATION_TIMEOUT", "").unwrap(), Ambient::default());
        for (name, value) in [
            ("INTEGRATION_TIMEOUT", "0"),
            ("INTEGRATION_TIMEOUT", "-1"),
            ("INTEGRATION_TIMEOUT", "3601"),
            ("INTEGRATION_TIMEOUT", "soon"),
            ("INTEGRATION_RETRY_COUNT", "three"),
            ("INTEGRATION_RETRY_COUNT", "20"),
            ("INTEGRATION_RATE_LIMIT", "0"),
            ("INTEGRATION_RATE_LIMIT", "1.5"),
            ("CONSIGN_LOCK_DEADLINE", "1w"),
            ("CONSIGN_GRACE", "0"),
            ("CONSIGN_LOCK_DEADLINE", "99999999999999999999"),
        ] {
            let error = of(name, value).unwrap_err();
            assert_eq!((error.exit().number(), error.code().id), (2, "config-bad-variable"), "{name}={value}");
            assert!(error.cause().contains(name), "{error}");
        }
    }
}
