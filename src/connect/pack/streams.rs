//! `streams`: what can be read and written.

use crate::config::Mode;
use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::{Raw, RawKind};
use crate::record::class::ClassId;
use crate::record::{ClassSet, Field, Path, Type};

use super::faults::{self, Fault};
use super::read::{READ, Read};
use super::reader::{Reader, scalar};
use super::write::{WRITE, Write};

/// A stream.
pub static STREAM: Section = Section {
    name: "a stream",
    about: "What can be read or written as one sequence of records.",
    foreign: false,
    keys: &[
        Key::new("about", Kind::Label, "One sentence: what a record is."),
        Key::new("key", Kind::OneOrMany(&Kind::RecordPath), "What identifies a record."),
        Key::new(
            "fields",
            Kind::Named(&Kind::ShortOr(&Kind::Type, &Kind::Section(&FIELD))),
            "The fields of a record: a type, or a map that says more.",
        ),
        Key::new("open", Kind::Flag, "Whether there may be other fields.").default("true"),
        Key::new("read", Kind::Section(&READ), "How it is read."),
        Key::new("write", Kind::Section(&WRITE), "How it is written."),
        Key::new("faults", Kind::List(&Kind::Section(&faults::FAULT)), "Rules that come before those of the pack."),
        Key::new(
            "examples",
            Kind::List(&Kind::Record),
            "Records as the system gives them: for the simulator, for previews.",
        ),
    ],
};

/// A field of a record, or of the input of an operation.
pub static FIELD: Section = Section {
    name: "a field",
    about: "What is known of a field.",
    foreign: false,
    keys: &[
        Key::new("type", Kind::Type, "Its type.").default("any"),
        Key::new("class", Kind::OneOrMany(&Kind::Class), "What kind of sensitive data it is."),
        Key::new("about", Kind::Label, "One sentence."),
        Key::new("required", Kind::Flag, "Whether it is always there.").default("false"),
        Key::new("nullable", Kind::Flag, "Whether it may be null.").default("true"),
    ],
};

/// A stream, read.
#[derive(Debug)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// What identifies a record.
    pub key: Vec<Path>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Whether there may be others.
    pub open: bool,
    /// How it is read.
    pub read: Option<Read>,
    /// How it is written.
    pub write: Option<Write>,
    /// Rules that come before those of the pack.
    pub faults: Vec<Fault>,
    /// Records as the system gives them.
    pub examples: Vec<serde_json::Value>,
}

impl Stream {
    /// How it can be written to.
    pub fn modes(&self) -> Vec<Mode> {
        self.write.as_ref().map(Write::modes).unwrap_or_default()
    }
}

/// Reads the section of a pack.
pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Vec<Stream> {
    let mut made = Vec::new();
    for entry in reader.entries(pack, "streams") {
        let raw = &entry.value;
        made.push(Stream {
            name: entry.key.clone(),
            about: reader.label(raw, "about").unwrap_or_default(),
            key: reader.items(raw, "key").filter_map(|raw| Path::parse(raw.text()?).ok()).collect(),
            fields: reader.entries(raw, "fields").iter().map(|entry| field(reader, &entry.key, &entry.value)).collect(),
            open: reader.flag(raw, "open").unwrap_or(true),
            read: reader.get(raw, "read").map(|of| Read::of(reader, of)),
            write: reader.get(raw, "write").and_then(|of| Write::read(reader, of)),
            faults: faults::read(reader, raw),
            examples: reader.items(raw, "examples").map(json).collect(),
        });
    }
    made
}

/// Reads one.
pub fn field(reader: &Reader<'_>, name: &str, raw: &Raw) -> Field {
    let kind = raw.text().map(str::to_owned).or_else(|| reader.label(raw, "type"));
    let classes: ClassSet = reader.labels(raw, "class").iter().filter_map(|name| ClassId::named(name)).collect();
    Field {
        name: name.to_owned(),
        kind: kind.and_then(|name| Type::named(&name)).unwrap_or(Type::Dyn),
        required: reader.flag(raw, "required").unwrap_or(false),
        nullable: reader.flag(raw, "nullable").unwrap_or(true),
        classes,
    }
}

/// A tree as JSON.
pub fn json(raw: &Raw) -> serde_json::Value {
    use serde_json::Value as Json;
    match &raw.kind {
        RawKind::Null => Json::Null,
        RawKind::Bool(value) => Json::Bool(*value),
        RawKind::Number(text) => serde_json::from_str(text).unwrap_or(Json::Null),
        RawKind::Text { .. } => Json::String(scalar(raw).unwrap_or_default()),
        RawKind::List { items, .. } => Json::Array(items.iter().map(json).collect()),
        RawKind::Map { entries, .. } => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect())
        }
    }
}
