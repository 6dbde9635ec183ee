//! `probe`: how the state of a system is told.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::request::{self, RequestSpec};
use super::template::Template;

/// The section.
pub static PROBE: Section = Section {
    name: "probe",
    about: "How `connect probe` finds out whether the system is well: a cheap call that changes nothing.",
    foreign: false,
    keys: &[
        request::METHOD,
        request::PATH,
        request::URL,
        request::QUERY,
        request::HEADERS,
        request::BODY,
        request::BODY_AS,
        request::LIMIT,
        request::COST,
        Key::new("healthy", Kind::Expression, "What `answer` must fulfil beside a good status."),
    ],
};

/// The section, read.
#[derive(Debug)]
pub struct Probe {
    /// The request.
    pub request: RequestSpec,
    /// What the answer must fulfil.
    pub healthy: Option<Template>,
}

impl Probe {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Option<Self> {
        let raw = reader.get(pack, "probe")?;
        Some(Self { request: RequestSpec::read(reader, raw), healthy: reader.expression(raw, "healthy") })
    }
}
