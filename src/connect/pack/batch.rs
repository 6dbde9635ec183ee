//! `batch`: how many records go into one request, and in which form.

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;
use crate::record::Path;

use super::reader::Reader;

/// The section.
pub static BATCH: Section = Section {
    name: "batch",
    about: "Many records in one request: where `records` stands in its body, all of them stand, each as `element` says.",
    foreign: false,
    keys: &[
        Key::new("records", Kind::Whole(1, 10_000_000), "Records in a request at most.").required(),
        Key::new("bytes", Kind::Whole(1, 1 << 30), "Bytes of the records in a request at most.").default("4194304"),
        Key::new(
            "as",
            Kind::Word(&[
                word("json", "A JSON list."),
                word("ndjson", "One JSON object per line; the whole body."),
                word("csv", "CSV with a header; the whole body."),
                word(
                    "graphql",
                    "One GraphQL mutation with an alias for each record; `element` holds its variables, `graphql` the rest.",
                ),
                word(
                    "odata",
                    "OData `$batch` as multipart/mixed: `element` is a request with `method`, `path`, `headers`, `body`.",
                ),
            ]),
            "The form in which they stand there.",
        )
        .default("json"),
        Key::new(
            "atomic",
            Kind::Flag,
            "Whether a request takes effect as a whole or not at all: one that fails is halved until the bad record is alone.",
        )
        .default("false"),
        Key::new("alike", Kind::OneOrMany(&Kind::RecordPath), "Records of one request have the same value there."),
        Key::new("groups", Kind::Whole(1, 1000), "So many different values of it may stand in one request, sorted.")
            .default("1"),
        Key::new("change_set", Kind::Whole(1, 10_000), "OData: records in a change set, which is atomic.").default("1"),
        Key::new("graphql", Kind::Section(&GRAPHQL), "The mutation, for `as: graphql`."),
        Key::new("delimiter", Kind::Label, "CSV: what stands between values.").default("\",\""),
    ],
};

static GRAPHQL: Section = Section {
    name: "graphql",
    about: "A mutation of one record; the engine gives it an alias and its variables their own names.",
    foreign: false,
    keys: &[
        Key::new("field", Kind::Label, "The field with its arguments and selection: `thingSet(input: $input) { id }`.")
            .required(),
        Key::new("variables", Kind::Named(&Kind::Label), "Its variables with their GraphQL types.").required(),
    ],
};

/// The section, read.
#[derive(Clone, Debug)]
pub struct Batching {
    /// Records in a request at most.
    pub records: u64,
    /// Bytes of them at most.
    pub bytes: usize,
    /// Their form.
    pub form: Form,
    /// Whether a request takes effect as a whole or not at all.
    pub atomic: bool,
    /// Records of a request have the same value there …
    pub alike: Vec<Path>,
    /// … or so many different ones.
    pub groups: usize,
    /// Records in a change set.
    pub change_set: usize,
    /// Between values of CSV.
    pub delimiter: u8,
}

/// The form of many records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// One record by itself: no batch.
    One,
    /// A JSON list.
    Json,
    /// Lines of JSON.
    Ndjson,
    /// CSV with a header.
    Csv,
    /// Aliases of a mutation.
    GraphQl {
        /// The field of one record.
        field: String,
        /// Its variables with their types.
        variables: Vec<(String, String)>,
    },
    /// OData `$batch` in parts.
    OData,
}

/// Bytes of a request's records where the pack does not say.
const BYTES: usize = 4 << 20;

impl Batching {
    /// Reads the section of a way of writing; without one, each record has a request of its own.
    pub fn read(reader: &mut Reader<'_>, way: &Raw) -> Self {
        let one = Self {
            records: 1,
            bytes: BYTES,
            form: Form::One,
            atomic: true,
            alike: Vec::new(),
            groups: 1,
            change_set: 1,
            delimiter: b',',
        };
        let Some(raw) = reader.get(way, "batch") else { return one };
        let form = match reader.label(raw, "as").as_deref() {
            Some("ndjson") => Form::Ndjson,
            Some("csv") => Form::Csv,
            Some("odata") => Form::OData,
            Some("graphql") => {
                let of = reader.get(raw, "graphql");
                if of.is_none() {
                    reader.error(raw, "`as: graphql` needs the mutation".into(), "write it under `graphql`");
                }
                Form::GraphQl {
                    field: of.and_then(|of| reader.label(of, "field")).unwrap_or_default(),
                    variables: of
                        .map_or(&[][..], |of| reader.entries(of, "variables"))
                        .iter()
                        .filter_map(|entry| Some((entry.key.clone(), super::reader::scalar(&entry.value)?)))
                        .collect(),
                }
            }
            _ => Form::Json,
        };
        let whole = |name: &str, default: u64| reader.whole(raw, name).unwrap_or(default);
        Self {
            records: whole("records", 1).max(1),
            bytes: usize::try_from(whole("bytes", BYTES as u64)).unwrap_or(BYTES),
            form,
            atomic: reader.flag(raw, "atomic").unwrap_or(false),
            alike: reader.items(raw, "alike").filter_map(|raw| Path::parse(raw.text()?).ok()).collect(),
            groups: usize::try_from(whole("groups", 1)).unwrap_or(1),
            change_set: usize::try_from(whole("change_set", 1)).unwrap_or(1),
            delimiter: reader.label(raw, "delimiter").and_then(|text| text.bytes().next()).unwrap_or(b','),
        }
    }
}
