//! `probe`: how the state of a system is told.

use std::time::Duration;

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::request::{RequestSpec, request_keys};
use super::template::{Template, Tree};

/// The section.
pub static PROBE: Section = Section {
    name: "probe",
    about: "How `connect probe` finds out whether the system is well: a cheap call that changes nothing.",
    foreign: false,
    keys: request_keys![
        Key::new(
            "healthy",
            Kind::Expression,
            "What `answer` must fulfil beside a good status; where it does not hold, the system is unhealthy.",
        ),
        Key::new(
            "degraded",
            Kind::Expression,
            "When the system is degraded: it answers, but not as it should (an incident, read-only mode).",
        ),
        Key::new("say", Kind::Label, "What the answer says of the system's state, for people; may hold templates."),
        Key::new("slow", Kind::Length, "From which response time on it is degraded.").default("10s"),
        Key::new(
            "skew",
            Kind::Length,
            "From which difference between its clock (the header `Date`) and ours on it is degraded: signatures and tokens fail by it.",
        )
        .default("60s"),
        Key::new("as", Kind::Label, "Who the sign-in is on the other side: an account, a shop; may hold templates."),
        Key::new("scopes", Kind::Section(&SCOPES), "What the sign-in is allowed to, against what the pack needs."),
        Key::new("quota", Kind::Section(&QUOTA), "How much may still be asked."),
    ],
};

/// What the sign-in is allowed to.
static SCOPES: Section = Section {
    name: "scopes",
    about: "What the sign-in is allowed to: missing ones are named, the system is unhealthy then.",
    foreign: false,
    keys: &[
        Key::new(
            "granted",
            Kind::Value,
            "What is granted, from `answer` or `auth`: a list, or text with blanks or commas between.",
        )
        .required(),
        Key::new("needed", Kind::Value, "What the streams and operations need: a list; may hold templates.").required(),
    ],
};

/// How much may still be asked.
static QUOTA: Section = Section {
    name: "quota",
    about: "How much may still be asked, as the answer says.",
    foreign: false,
    keys: &[
        Key::new("left", Kind::Expression, "Calls or units that are left.").required(),
        Key::new("of", Kind::Expression, "Of how many."),
        Key::new("low", Kind::Percent, "Below which share the system is degraded.").default("10"),
    ],
};

/// The section, read.
#[derive(Debug)]
pub struct Probe {
    /// The request.
    pub request: RequestSpec,
    /// What the answer must fulfil.
    pub healthy: Option<Template>,
    /// When it is degraded.
    pub degraded: Option<Template>,
    /// What the answer says of its state.
    pub say: Option<Template>,
    /// From which response time on it is degraded.
    pub slow: Duration,
    /// From which difference of the clocks on it is degraded.
    pub skew: Duration,
    /// Who the sign-in is on the other side.
    pub who: Option<Template>,
    /// What is granted, and what is needed.
    pub scopes: Option<(Tree, Tree)>,
    /// How much may still be asked.
    pub quota: Option<Quota>,
}

/// How much may still be asked, read.
#[derive(Debug)]
pub struct Quota {
    /// What is left.
    pub left: Template,
    /// Of how many.
    pub of: Option<Template>,
    /// Below which share the system is degraded, in millionths.
    pub low_ppm: u32,
}

impl Probe {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Option<Self> {
        let raw = reader.get(pack, "probe")?;
        let scopes = reader.get(raw, "scopes").and_then(|of| {
            let granted = reader.tree(of, "granted")?;
            Some((granted, reader.tree(of, "needed")?))
        });
        let quota = reader.get(raw, "quota").and_then(|of| {
            Some(Quota {
                left: reader.expression(of, "left")?,
                of: reader.expression(of, "of"),
                low_ppm: reader
                    .label(of, "low")
                    .and_then(|text| crate::config::units::percent_to_ppm(&text))
                    .unwrap_or(100_000),
            })
        });
        Some(Self {
            request: RequestSpec::read(reader, raw),
            healthy: reader.expression(raw, "healthy"),
            degraded: reader.expression(raw, "degraded"),
            say: reader.template(raw, "say"),
            slow: reader.length(raw, "slow").unwrap_or(Duration::from_secs(10)),
            skew: reader.length(raw, "skew").unwrap_or(Duration::from_secs(60)),
            who: reader.template(raw, "as"),
            scopes,
            quota,
        })
    }
}
