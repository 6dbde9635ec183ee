//! `tests`: exchanges that are replayed offline; what was sent and what came of it are compared.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;

/// An exchange.
pub static EXCHANGE: Section = Section {
    name: "a test",
    about: "Requests in the order in which they are expected, with their answers, and what comes of them.",
    foreign: false,
    keys: &[Key::new("name", Kind::Label, "What it shows.").required()],
};

/// An exchange, read.
#[derive(Debug)]
pub struct Exchange {
    /// What it shows.
    pub name: String,
}

/// Reads the section of a pack.
pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Vec<Exchange> {
    let items = reader.get(pack, "tests").map_or(&[][..], Raw::items);
    items.iter().map(|raw| Exchange { name: reader.label(raw, "name").unwrap_or_default() }).collect()
}
