//! `acknowledge`: a source that forgets what it gave only once it is told that it may.

use super::reader::Reader;
use super::request::{RequestSpec, request_keys};
use super::template::{Template, Tree};
use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

/// The section.
pub static ACKNOWLEDGE: Section = Section {
    name: "acknowledge",
    about: "A request that tells the system which records are settled, sent once they are: a queue then deletes them. What is not acknowledged comes again, and no position is kept.",
    foreign: false,
    keys: request_keys![
        Key::new("element", Kind::Value, "What stands in `records` for each record, from `record` as it came.")
            .required(),
        Key::new("records", Kind::Whole(1, 100_000), "How many stand in one request at most.").default("1"),
        Key::new(
            "refused",
            Kind::Expression,
            "Whether the answer says that some of them were not taken: they come again, and the run says so.",
        ),
    ],
};

/// `acknowledge`, read.
#[derive(Debug)]
pub struct Acknowledge {
    /// The request; `records` is the list of elements.
    pub request: RequestSpec,
    /// What stands for each record.
    pub element: Option<Tree>,
    /// How many in one request.
    pub records: usize,
    /// Whether some were not taken.
    pub refused: Option<Template>,
}

impl Acknowledge {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Option<Self> {
        let raw = reader.get(read, "acknowledge")?;
        Some(Self {
            request: RequestSpec::read(reader, raw),
            element: reader.tree(raw, "element"),
            records: reader.whole(raw, "records").map_or(1, |number| number as usize),
            refused: reader.expression(raw, "refused"),
        })
    }
}
