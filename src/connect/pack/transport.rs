//! `transport`: where calls go, and over what.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::template::{Template, Tree};

/// The section.
pub static TRANSPORT: Section = Section {
    name: "transport",
    about: "Where calls go, and over what.",
    foreign: false,
    keys: &[
        Key::new("base", Kind::Label, "The address that paths count from."),
        Key::new(
            "hosts",
            Kind::List(&Kind::Label),
            "Other hosts that may be called; `*.example.com` stands for all below it.",
        ),
        Key::new("headers", Kind::Record, "Headers of every call."),
    ],
};

/// The section, read.
#[derive(Debug, Default)]
pub struct Transport {
    /// The address that paths count from.
    pub base: Option<Template>,
    /// Other hosts that may be called.
    pub hosts: Vec<String>,
    /// Headers of every call.
    pub headers: Option<Tree>,
}

impl Transport {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let Some(raw) = reader.get(pack, "transport") else { return Self::default() };
        Self {
            base: reader.template(raw, "base"),
            hosts: reader.labels(raw, "hosts"),
            headers: reader.tree(raw, "headers"),
        }
    }
}
