//! `read`: how a stream is read.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;
use crate::record::Path;

use super::reader::Reader;
use super::request::{self, RequestSpec};

/// The section.
pub static READ: Section = Section {
    name: "read",
    about: "How a stream is read.",
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
        Key::new(
            "records",
            Kind::RecordPath,
            "Where in the answer the list of records stands; left out, the answer is the list.",
        ),
    ],
};

/// The section, read.
#[derive(Debug)]
pub struct Read {
    /// The request.
    pub request: RequestSpec,
    /// Where the records are.
    pub records: Option<Path>,
}

impl Read {
    /// Reads the section of a stream.
    pub fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        Some(Self { request: RequestSpec::read(reader, raw), records: reader.path(raw, "records") })
    }
}
