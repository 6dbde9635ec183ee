//! JSON documents: an array of records, anywhere in the document, in constant memory.

mod decode;
mod encode;
mod framing;
mod parse;
mod project;
mod scan;

pub(super) use decode::JsonDecoder;
pub(super) use encode::JsonEncoder;
pub(super) use parse::Rules;

use super::{Format, Options};
use crate::config::{FormatSpec, OptionKind, OptionSpec};
use crate::connect::given::Given;
use crate::connect::{Decoder, Encoder, Frame, Framing};
use crate::error::Result;
use crate::record::{Column, Path};

/// The format `json`.
pub static JSON: Json = Json;

/// The format `json`.
pub struct Json;

static SPEC: FormatSpec = FormatSpec {
    name: "json",
    about: "One JSON document: an array of objects at its top or at a path, or a single object.",
    options: OPTIONS,
    extensions: &["json"],
    flat: false,
    text_fields: false,
    example: "records: orders.items\nmax_depth: 32\n",
};

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "records",
        OptionKind::RecordPath,
        "Where the array of records stands in the document (`orders.items`). Without it the top is an array, or one object that is the record.",
    ),
    DUPLICATE_KEYS,
    MAX_DEPTH,
    MAX_RECORD_BYTES,
];

pub(super) const DUPLICATE_KEYS: OptionSpec = OptionSpec::new(
    "duplicate_keys",
    OptionKind::Choice(&["error", "last"]),
    "What a key that stands twice in one object does: reject the record, or let the last one count.",
)
.default("error");

pub(super) const MAX_DEPTH: OptionSpec = OptionSpec::new(
    "max_depth",
    OptionKind::Int { min: 1, max: 1000 },
    "How many lists and objects of a record may stand within each other.",
)
.default("128");

pub(super) const MAX_RECORD_BYTES: OptionSpec = OptionSpec::new(
    "max_record_bytes",
    OptionKind::Int { min: 1024, max: 1 << 30 },
    "A record longer than this ends the reading with an error.",
)
.default("16777216");

impl Format for Json {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn framing(&self, options: &Options) -> Result<Box<dyn Framing>> {
        let given = Given::new(options, OPTIONS);
        let rules = Rules::new(&given, false)?;
        Ok(Box::new(framing::DocumentFraming::new(keys(&given)?, rules, given.size("max_record_bytes")?)))
    }

    fn decoder(&self, options: &Options) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(JsonDecoder::new(Rules::new(&Given::new(options, OPTIONS), false)?)))
    }

    fn encoder(&self, _options: &Options, columns: &[Column]) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(JsonEncoder::new(columns, b"")?))
    }

    fn frame(&self, options: &Options, _columns: &[Column]) -> Result<Frame> {
        let keys = keys(&Given::new(options, OPTIONS))?;
        let mut frame = Frame { between: b",\n".to_vec(), ..Frame::default() };
        for key in &keys {
            frame.before.push(b'{');
            encode::text(key, &mut frame.before);
            frame.before.push(b':');
        }
        frame.before.extend_from_slice(b"[\n");
        frame.after.extend_from_slice(b"\n]");
        frame.after.extend(keys.iter().map(|_| b'}'));
        frame.after.push(b'\n');
        Ok(frame)
    }
}

impl Rules {
    /// From the options that JSON and NDJSON share.
    pub(super) fn new(given: &Given<'_>, lines: bool) -> Result<Self> {
        Ok(Self {
            max_depth: given.size("max_depth")?,
            last_wins: given.text("duplicate_keys")?.as_deref() == Some("last"),
            lines,
        })
    }
}

/// The keys that lead to the array.
fn keys(given: &Given<'_>) -> Result<Vec<String>> {
    let Some(text) = given.text("records")? else { return Ok(Vec::new()) };
    let path = Path::parse(&text).map_err(|error| given.wrong("records", &format!("is no path: {}", error.cause)))?;
    match project::plain_keys(&path) {
        Some(keys) => Ok(keys.into_iter().map(String::from).collect()),
        None => Err(given.wrong("records", "is a path of names; an index or `[*]` cannot stand in it")),
    }
}
