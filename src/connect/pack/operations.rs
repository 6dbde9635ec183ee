//! `operations`: calls by name, for `connect call` and for what is no stream.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;
use crate::record::{Field, Path};

use super::faults::{self, Fault};
use super::pages;
use super::read::Read;
use super::reader::Reader;
use super::request::{RequestSpec, request_keys};
use super::streams::{self, Stream};

/// An operation.
pub static OPERATION: Section = Section {
    name: "an operation",
    about: "A call by name: `input` is what it is called with.",
    foreign: false,
    keys: request_keys![
        Key::new("about", Kind::Label, "One sentence: what it does."),
        Key::new(
            "input",
            Kind::Named(&Kind::ShortOr(&Kind::Type, &Kind::Section(&streams::FIELD))),
            "What it is called with: `input.NAME` in templates. A name that is not here is refused.",
        ),
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
        Key::new(
            "pages",
            Kind::Section(&pages::PAGES),
            "How a list comes in several pages: all of them are read, and `result` (where the list stands) is everything that they have.",
        ),
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
    /// What it lists in several pages, to be read as a stream is.
    pub listing: Option<Stream>,
}

/// Reads the section of a pack.
pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Vec<Operation> {
    let mut made = Vec::new();
    for entry in reader.entries(pack, "operations") {
        let raw = &entry.value;
        let request = RequestSpec::read(reader, raw);
        let declared: Vec<&str> = reader.entries(raw, "input").iter().map(|entry| entry.key.as_str()).collect();
        let said = streams::json(raw).to_string();
        if let Some(name) = spoken(&said).find(|name| !declared.contains(name)) {
            let cause = format!("the operation uses `input.{name}`, which is not among what it is called with");
            reader.error(raw, cause, &format!("add `{name}` to its `input`"));
        }
        let listing = reader.get(raw, "pages").map(|of| listing(reader, &entry.key, raw, of));
        let writes = reader.flag(raw, "writes").unwrap_or(!request.method.is_safe());
        made.push(Operation {
            name: entry.key.clone(),
            about: reader.label(raw, "about").unwrap_or_default(),
            input: reader.entries(raw, "input").iter().map(|e| streams::field(reader, &e.key, &e.value)).collect(),
            writes,
            repeatable: reader.flag(raw, "repeatable").unwrap_or(!writes || request.method.is_idempotent()),
            result: reader.path(raw, "result"),
            faults: faults::read(reader, raw),
            listing,
            request,
        });
    }
    made
}

/// What an operation lists, as a stream.
fn listing(reader: &mut Reader<'_>, name: &str, raw: &Raw, pages: &Raw) -> Stream {
    if reader.flag(raw, "writes") == Some(true) {
        reader.error(pages, "what changes something has no pages".into(), "leave out `pages`, or `writes`");
    }
    // What is wrong with the request was told when it was read the first time.
    let told = reader.findings.len();
    let request = RequestSpec::read(reader, raw);
    reader.findings.truncate(told);
    let read = Read::listing(reader, raw, request);
    Stream {
        name: name.to_owned(),
        about: String::new(),
        key: Vec::new(),
        fields: Vec::new(),
        open: true,
        read: Some(read),
        write: None,
        faults: Vec::new(),
        examples: Vec::new(),
    }
}

/// The names of inputs that templates of a text speak of.
fn spoken(text: &str) -> impl Iterator<Item = &str> {
    let before = |at: usize| text.get(..at).and_then(|before| before.chars().next_back());
    text.match_indices("input.").filter_map(move |(at, dotted)| {
        let inside = before(at).is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let rest = text.get(at + dotted.len()..)?.trim_start_matches('?');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end).filter(|name| !inside && !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_that_nobody_can_give_are_found() {
        let names: Vec<&str> = spoken("{{ input.a + input.?b_c.orValue('') }} my_input.x the.input.y input.").collect();
        assert_eq!(names, ["a", "b_c"]);
        let text = "pack: x\noperations:\n  go: { about: Goes., path: \"/{{ input.id }}\", input: { di: string } }\n";
        let source = crate::config::Source::new("pack.yaml", text);
        let mut findings = Vec::new();
        let raw = crate::config::yaml::parse(&source, &mut findings).unwrap();
        assert!(super::super::Pack::read(&source, &raw, &mut findings).is_none());
        assert!(findings.iter().any(|finding| finding.cause.contains("`input.id`")), "{findings:#?}");
    }
}
