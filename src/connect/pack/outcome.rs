//! `outcome`: what the answer says of each record of a request.

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;

use super::faults::{self, Fault};
use super::reader::Reader;
use super::template::Template;

/// The section.
pub static OUTCOME: Section = Section {
    name: "outcome",
    about: "What a good answer says of each record. Expressions see `answer`, and `item`: one element of `items`.",
    foreign: false,
    keys: &[
        Key::new(
            "items",
            Kind::Expression,
            "The outcomes: a list, or a map by what pairs them. Left out, a good answer is good for all of its records.",
        ),
        Key::new(
            "format",
            Kind::Word(&[
                word("json", "A JSON document."),
                word("ndjson", "One JSON object per line: `answer.body` is their list."),
                word("csv", "CSV with a header: `answer.body` is the list of its rows."),
                word("parts", "multipart/mixed with an HTTP answer in each part: `answer.body` is the list of `{status, headers, body}`."),
            ]),
            "What the answer is written in.",
        )
        .default("json"),
        Key::new(
            "pair",
            Kind::Word(&[
                word("position", "They stand in the order of the records."),
                word("number", "`by` gives back the record's `number`, or ends with it."),
                word("index", "`by` is the record's place, from 0."),
                word("key", "`by` is the record's key, or the list of its parts."),
                word("row", "They repeat the record's own fields by name."),
            ]),
            "How an outcome finds its record.",
        )
        .default("position"),
        Key::new("by", Kind::Expression, "What pairs it, of `item`; a list names several records."),
        Key::new("good", Kind::Expression, "Whether the record took effect, of `item`."),
        Key::new("unchanged", Kind::Expression, "Whether it stood there just so already."),
        Key::new("unmatched", Kind::Expression, "Whether there was no record of its key to change or delete."),
        Key::new(
            "faults",
            Kind::List(&Kind::Section(&faults::FAULT)),
            "What an outcome that is not good means; `when` sees `item`. The first that fits holds: `retry`, `split`, `conflict`, `skip`, `good`, anything else refuses the record.",
        ),
        Key::new("code", Kind::Expression, "The code of what is wrong."),
        Key::new("message", Kind::Expression, "The sentence about it. Values of the record in it are masked."),
        Key::new("field", Kind::Expression, "The field at fault, or the list of them."),
        Key::new(
            "unmentioned",
            Kind::Word(&[
                word("good", "It took effect."),
                word("reject", "It is refused."),
                word("doubt", "Nobody knows."),
            ]),
            "What holds for a record that no outcome is of.",
        )
        .default("doubt"),
    ],
};

/// The section, read.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The outcomes.
    pub items: Option<Template>,
    /// What the answer is written in.
    pub format: Format,
    /// How they find their records.
    pub pair: Pair,
    /// What pairs them.
    pub by: Option<Template>,
    /// Whether it took effect.
    pub good: Option<Template>,
    /// Whether it stood there already.
    pub unchanged: Option<Template>,
    /// Whether there was no record of its key.
    pub unmatched: Option<Template>,
    /// What one that is not good means.
    pub faults: Vec<Fault>,
    /// The code of what is wrong.
    pub code: Option<Template>,
    /// The sentence about it.
    pub message: Option<Template>,
    /// The field at fault.
    pub field: Option<Template>,
    /// What holds for a record that is not mentioned.
    pub unmentioned: Unmentioned,
}

/// What an answer is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// Lines of JSON.
    Ndjson,
    /// CSV with a header.
    Csv,
    /// multipart/mixed.
    Parts,
}

/// How an outcome finds its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pair {
    /// By its place in the list.
    #[default]
    Position,
    /// By the record's number.
    Number,
    /// By its index.
    Index,
    /// By its key.
    Key,
    /// By its fields.
    Row,
}

/// What holds for a record that no outcome is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unmentioned {
    /// It took effect.
    Good,
    /// It is refused.
    Reject,
    /// Nobody knows.
    #[default]
    Doubt,
}

impl Outcome {
    /// Reads the section of a way of writing, or of one of a job's results.
    pub fn read(reader: &mut Reader<'_>, way: &Raw) -> Self {
        let Some(raw) = reader.get(way, "outcome") else { return Self::default() };
        let made = Self {
            items: reader.expression(raw, "items"),
            format: match reader.label(raw, "format").as_deref() {
                Some("ndjson") => Format::Ndjson,
                Some("csv") => Format::Csv,
                Some("parts") => Format::Parts,
                _ => Format::Json,
            },
            pair: match reader.label(raw, "pair").as_deref() {
                Some("number") => Pair::Number,
                Some("index") => Pair::Index,
                Some("key") => Pair::Key,
                Some("row") => Pair::Row,
                _ => Pair::Position,
            },
            by: reader.expression(raw, "by"),
            good: reader.expression(raw, "good"),
            unchanged: reader.expression(raw, "unchanged"),
            unmatched: reader.expression(raw, "unmatched"),
            faults: faults::read(reader, raw),
            code: reader.expression(raw, "code"),
            message: reader.expression(raw, "message"),
            field: reader.expression(raw, "field"),
            unmentioned: match reader.label(raw, "unmentioned").as_deref() {
                Some("good") => Unmentioned::Good,
                Some("reject") => Unmentioned::Reject,
                _ => Unmentioned::Doubt,
            },
        };
        if matches!(made.pair, Pair::Index | Pair::Key) && made.by.is_none() {
            reader.error(raw, "what pairs an outcome with its record is missing".into(), "write `by: item.index`");
        }
        made
    }
}
