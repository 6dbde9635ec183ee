//! `operations`: calls by name, for `connect call` and for what is no stream.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::request::{self, RequestSpec};

/// An operation.
pub static OPERATION: Section = Section {
    name: "an operation",
    about: "A call by name: `input` is what it is called with.",
    foreign: false,
    keys: &[
        Key::new("about", Kind::Label, "One sentence."),
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

/// An operation, read.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// The request.
    pub request: RequestSpec,
}

/// Reads the section of a pack.
pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Vec<Operation> {
    let mut made = Vec::new();
    for entry in reader.entries(pack, "operations") {
        made.push(Operation {
            name: entry.key.clone(),
            about: reader.label(&entry.value, "about").unwrap_or_default(),
            request: RequestSpec::read(reader, &entry.value),
        });
    }
    made
}
