//! `write`: how a stream is written, one way for each mode.

use crate::config::Mode;
use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::request::{self, RequestSpec};

/// The section.
pub static WRITE: Section = Section {
    name: "write",
    about: "How a stream is written: one way for each thing that can be done.",
    foreign: false,
    keys: &[
        Key::new("create", Kind::Section(&WAY), "Adds a record: mode `append`."),
        Key::new("update", Kind::Section(&WAY), "Changes a record by its key: mode `update`."),
        Key::new("upsert", Kind::Section(&WAY), "Adds or changes a record by its key: mode `upsert`."),
        Key::new("delete", Kind::Section(&WAY), "Deletes a record by its key: mode `delete`."),
    ],
};

/// One way of writing.
static WAY: Section = Section {
    name: "a way of writing",
    about: "The request, what goes into one, and what the answer says of each record.",
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
    ],
};

/// The section, read.
#[derive(Debug, Default)]
pub struct Write {
    /// The ways there are.
    pub ways: Vec<(Mode, Way)>,
}

/// One way of writing, read.
#[derive(Debug)]
pub struct Way {
    /// The request.
    pub request: RequestSpec,
}

impl Write {
    /// Reads the section of a stream.
    pub fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        let mut ways = Vec::new();
        for (name, mode) in
            [("create", Mode::Append), ("update", Mode::Update), ("upsert", Mode::Upsert), ("delete", Mode::Delete)]
        {
            if let Some(of) = reader.get(raw, name) {
                ways.push((mode, Way { request: RequestSpec::read(reader, of) }));
            }
        }
        Some(Self { ways })
    }

    /// The modes that a target can have.
    pub fn modes(&self) -> Vec<Mode> {
        self.ways.iter().map(|(mode, _)| *mode).collect()
    }
}
