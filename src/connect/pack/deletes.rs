//! `deletes`: how it is known that a record is gone. A route in mode `delete` from such a stream reads
//! what is gone, any other one what is there.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;
use crate::record::Path;

use super::read::{SHAPE, Shape};
use super::reader::Reader;
use super::template::Template;

/// The section.
pub static DELETES: Section = Section {
    name: "deletes",
    about: "How it is known that a record is gone. A route in mode `delete` reads what is gone, any other one what is there.",
    foreign: false,
    keys: &[
        Key::new(
            "when",
            Kind::Expression,
            "Which records among the others say that one is gone: a condition on `record`.",
        ),
        Key::new("records", Kind::RecordPath, "Where else in the answers the records that are gone stand (`removed`)."),
        Key::new("shape", Kind::Section(&SHAPE), "How such a record is made, if otherwise than the rest."),
        Key::new("stream", Kind::Name(true), "Another stream of the pack whose records are what is gone."),
        Key::new("compare", Kind::Flag, "Nothing tells what is gone: only the whole list does, in mode `mirror`.")
            .default("false"),
    ],
};

/// `deletes`, read.
#[derive(Debug)]
pub struct Deletes {
    /// Which records say so.
    pub when: Option<Template>,
    /// Where else they stand.
    pub records: Option<Path>,
    /// How such a record is made.
    pub shape: Option<Shape>,
    /// Another stream.
    pub stream: Option<String>,
    /// Only the whole list tells.
    pub compare: bool,
}

impl Deletes {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Option<Self> {
        let raw = reader.get(read, "deletes")?;
        Some(Self {
            when: reader.expression(raw, "when"),
            records: reader.path(raw, "records"),
            shape: reader.get(raw, "shape").map(|of| Shape::read(reader, of)),
            stream: reader.label(raw, "stream"),
            compare: reader.flag(raw, "compare").unwrap_or(false),
        })
    }
}
