//! `discover`: what has to be asked before anything else can be: addresses, sites, what a server can do.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::request::{RequestSpec, request_keys};
use super::template::Template;

/// One thing to find out.
pub static DISCOVERY: Section = Section {
    name: "something to find out",
    about: "A request whose answer is `found.NAME` in templates. It is made when it is first needed, once in a process.",
    foreign: false,
    keys: request_keys![
        Key::new("value", Kind::Expression, "What is kept, from `answer`; the body unless said."),
        Key::new("sign_in", Kind::Flag, "Whether the request is signed in.").default("true"),
    ],
};

/// One thing to find out, read.
#[derive(Debug)]
pub struct Discovery {
    /// Its name.
    pub name: String,
    /// The request.
    pub request: RequestSpec,
    /// What is kept.
    pub value: Option<Template>,
    /// Whether the request is signed in.
    pub sign_in: bool,
}

/// Reads the section of a pack.
pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Vec<Discovery> {
    let mut made = Vec::new();
    for entry in reader.entries(pack, "discover") {
        made.push(Discovery {
            name: entry.key.clone(),
            request: RequestSpec::read(reader, &entry.value),
            value: reader.expression(&entry.value, "value"),
            sign_in: reader.flag(&entry.value, "sign_in").unwrap_or(true),
        });
    }
    made
}
