//! `operations`: calls by name, for `connect call` and for what is no stream.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;
use crate::record::{Field, Path};

use super::faults::{self, Fault};
use super::reader::Reader;
use super::request::{self, RequestSpec};
use super::streams;

/// An operation.
pub static OPERATION: Section = Section {
    name: "an operation",
    about: "A call by name: `input` is what it is called with.",
    foreign: false,
    keys: &[
        Key::new("about", Kind::Label, "One sentence: what it does."),
        Key::new(
            "input",
            Kind::Named(&Kind::ShortOr(&Kind::Type, &Kind::Section(&streams::FIELD))),
            "What it is called with: `input.NAME` in templates. A name that is not here is refused.",
        ),
        request::METHOD,
        request::PATH,
        request::URL,
        request::QUERY,
        request::HEADERS,
        request::BODY,
        request::BODY_AS,
        request::LIMIT,
        request::COST,
        request::TIMEOUT,
        Key::new(
            "writes",
            Kind::Flag,
            "Whether it changes something on the other side; left out, every method but GET, HEAD and OPTIONS does.",
        ),
        Key::new(
            "repeatable",
            Kind::Flag,
            "Whether sending it twice does no more than once: it reads, replaces, or carries an idempotency key. Left out: unless it writes, and for PUT and DELETE.",
        ),
        Key::new("result", Kind::RecordPath, "Where in the answer the result stands; left out, the answer as a whole."),
        Key::new("faults", Kind::List(&Kind::Section(&faults::FAULT)), "Rules that come before those of the pack."),
    ],
};

/// An operation, read.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// What it is called with.
    pub input: Vec<Field>,
    /// The request.
    pub request: RequestSpec,
    /// Whether it changes something on the other side.
    pub writes: bool,
    /// Whether sending it twice does no more than once.
    pub repeatable: bool,
    /// Where in the answer the result stands.
    pub result: Option<Path>,
    /// Rules that come before those of the pack.
    pub faults: Vec<Fault>,
}

/// Reads the section of a pack.
pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Vec<Operation> {
    let mut made = Vec::new();
    for entry in reader.entries(pack, "operations") {
        let raw = &entry.value;
        let request = RequestSpec::read(reader, raw);
        let writes = reader.flag(raw, "writes").unwrap_or(!request.method.is_safe());
        made.push(Operation {
            name: entry.key.clone(),
            about: reader.label(raw, "about").unwrap_or_default(),
            input: reader.entries(raw, "input").iter().map(|e| streams::field(reader, &e.key, &e.value)).collect(),
            writes,
            repeatable: reader.flag(raw, "repeatable").unwrap_or(!writes || request.method.is_idempotent()),
            result: reader.path(raw, "result"),
            faults: faults::read(reader, raw),
            request,
        });
    }
    made
}
