//! `nest`: records that come flat, children behind their parents, become trees again.

use super::reader::Reader;
use super::template::Template;
use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

/// The section.
pub static NEST: Section = Section {
    name: "nest",
    about: "Lines that name their parent become elements of a list in it, at any depth. Parents come before their children, and no other parent in between.",
    foreign: false,
    keys: &[
        Key::new("parent", Kind::Expression, "What names the parent, of `record`; nothing or null: it has none.")
            .required(),
        Key::new("id", Kind::Expression, "By what a record is named as a parent.").required(),
        Key::new("into", Kind::Expression, "The name of the list in the parent that it goes into.").required(),
        Key::new("drop", Kind::OneOrMany(&Kind::Label), "Fields of children that are left out there."),
    ],
};

/// `nest`, read.
#[derive(Debug)]
pub struct Nest {
    /// What names the parent.
    pub parent: Template,
    /// By what a record is named.
    pub id: Template,
    /// The name of the list.
    pub into: Template,
    /// Fields that are left out.
    pub drop: Vec<String>,
}

impl Nest {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Option<Self> {
        let raw = reader.get(read, "nest")?;
        Some(Self {
            parent: reader.expression(raw, "parent")?,
            id: reader.expression(raw, "id")?,
            into: reader.expression(raw, "into")?,
            drop: reader.labels(raw, "drop"),
        })
    }
}
