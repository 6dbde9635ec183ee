//! XML documents: repeated elements as records, in constant memory, strictly well-formed.

mod around;
mod build;
mod chars;
mod decode;
mod encode;
mod framing;
mod lexer;
mod names;
mod plan;
#[cfg(test)]
mod tests;

use self::around::Around;
use self::decode::{Rules, XmlDecoder};
use self::encode::{Layout, Nulls, XmlEncoder, written_name};
use self::framing::XmlFraming;
use self::names::{Names, Wanted, XSI_URI};
use self::plan::Declared;
use super::json::{MAX_DEPTH, MAX_RECORD_BYTES};
use super::{Format, Options, ToldEncoding};
use crate::config::{FormatSpec, OptionKind, OptionSpec};
use crate::connect::options::OptionReader;
use crate::connect::{Decoder, Encoder, Frame, Framing};
use crate::error::Result;
use crate::record::{Column, Path};

/// The format `xml`.
pub static XML: Xml = Xml;

/// The format `xml`.
pub struct Xml;

static SPEC: FormatSpec = FormatSpec {
    name: "xml",
    about: "One XML document: the elements at a path are the records. No DTD, no entities of its own.",
    options: OPTIONS,
    extensions: &["xml"],
    flat: false,
    text_fields: false,
    example: "records: rss/channel/item\nlists: [category]\nnamespaces: [\"dc=http://purl.org/dc/elements/1.1/\"]\n",
};

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "records",
        OptionKind::Text,
        "The elements from the root to the records (`rss/channel/item`). Without it each child of the root is a record.",
    ),
    OptionSpec::new(
        "namespaces",
        OptionKind::List(&OptionKind::Text),
        "Prefixes for paths, as `prefix=uri`; `=uri` is what names without a prefix mean. A document's own prefixes do not matter.",
    ),
    OptionSpec::new(
        "lists",
        OptionKind::List(&OptionKind::RecordPath),
        "Paths in the record of the elements that may stand more than once: always a list, also of one or none.",
    ),
    OptionSpec::new(
        "mixed",
        OptionKind::List(&OptionKind::RecordPath),
        "Paths in the record of the elements in which text and elements stand beside each other: a list of both, in order.",
    ),
    OptionSpec::new(
        "count",
        OptionKind::Text,
        "When writing: where the number of records stands, `@count` for an attribute of the root, or a path of elements before the records (`GrpHdr/NbOfTxs`).",
    ),
    OptionSpec::new("trim", OptionKind::Bool, "Whether white space at the ends of text is dropped.").default("false"),
    OptionSpec::new("empty", OptionKind::Choice(&["text", "null"]), "What an empty element is read as.")
        .default("text"),
    OptionSpec::new(
        "nulls",
        OptionKind::Choice(&["nil", "omit", "empty"]),
        "How null is written: as an element with `xsi:nil`, not at all, or as an empty element.",
    )
    .default("nil"),
    OptionSpec::new("pretty", OptionKind::Bool, "Whether each element is written on a line of its own, indented.")
        .default("false"),
    MAX_DEPTH,
    MAX_RECORD_BYTES,
];

/// What the root and the records are called where no path says so.
const UNNAMED: [&str; 2] = ["records", "record"];

struct Settings<'o> {
    given: OptionReader<'o>,
    names: Names,
    /// The steps of `records` as they are written.
    steps: Vec<String>,
    path: Option<Vec<Wanted>>,
    rules: Rules,
}

impl<'o> Settings<'o> {
    fn new(options: &'o Options) -> Result<Self> {
        let given = OptionReader::new(options, OPTIONS);
        let names = Names::new(&given.list("namespaces")?).map_err(|cause| given.wrong("namespaces", &cause))?;
        let (steps, path) = match given.text("records")? {
            None => (UNNAMED.map(String::from).to_vec(), None),
            Some(text) => {
                let steps: Vec<String> = steps(&text);
                let path = steps
                    .iter()
                    .map(|step| names.wanted(step, false))
                    .collect::<std::result::Result<Vec<_>, _>>()
                    .map_err(|cause| given.wrong("records", &format!("is no path of elements: {cause}")))?;
                (steps, Some(path))
            }
        };
        let rules = Rules {
            max_depth: given.number("max_depth")? as usize,
            trim: given.flag("trim")?,
            empty_is_null: given.text("empty")?.as_deref() == Some("null"),
        };
        Ok(Self { given, names, steps, path, rules })
    }

    fn around(&self) -> Around {
        Around::new(self.path.clone(), self.rules.max_depth)
    }

    fn declared(&self) -> Result<Declared> {
        let mut declared = Declared::default();
        type Mark = fn(&mut Declared);
        let options: [(&str, Mark); 2] =
            [("lists", |declared| declared.list = true), ("mixed", |declared| declared.mixed = true)];
        for (option, set) in options {
            for text in self.given.list(option)? {
                let wrong = |cause: &str| self.given.wrong(option, &format!("names `{text}`: {cause}"));
                let path = Path::parse(&text).map_err(|error| wrong(error.cause))?;
                declared.add(&self.names, &path, set).map_err(|cause| wrong(&cause))?;
            }
        }
        Ok(declared)
    }

    fn nulls(&self) -> Result<Nulls> {
        Ok(match self.given.text("nulls")?.as_deref() {
            Some("omit") => Nulls::Omit,
            Some("empty") => Nulls::Empty,
            _ => Nulls::Nil,
        })
    }
}

/// The steps of a path: `/` within `{...}` belongs to the namespace.
fn steps(text: &str) -> Vec<String> {
    let (mut steps, mut inside) = (vec![String::new()], false);
    for c in text.trim_start_matches('/').chars() {
        match c {
            '/' if !inside => steps.push(String::new()),
            c => {
                inside = (inside || c == '{') && c != '}';
                if let Some(step) = steps.last_mut() {
                    step.push(c);
                }
            }
        }
    }
    steps
}

impl Format for Xml {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn told_encoding(&self) -> Option<ToldEncoding> {
        Some(framing::declared_encoding)
    }

    fn framing(&self, options: &Options) -> Result<Box<dyn Framing>> {
        let settings = Settings::new(options)?;
        let max_record_bytes = settings.given.number("max_record_bytes")? as usize;
        Ok(Box::new(XmlFraming::new(settings.names.clone(), settings.around(), max_record_bytes)))
    }

    fn decoder(&self, options: &Options) -> Result<Box<dyn Decoder>> {
        let settings = Settings::new(options)?;
        let (around, declared) = (settings.around(), settings.declared()?);
        Ok(Box::new(XmlDecoder::new(settings.names, around, declared, settings.rules)))
    }

    fn encoder(&self, options: &Options, columns: &[Column]) -> Result<Box<dyn Encoder>> {
        let settings = Settings::new(options)?;
        let record = settings.steps.last().map(String::as_str).unwrap_or_default();
        let record = written_name(&settings.names, record).map_err(|cause| settings.given.wrong("records", &cause))?;
        let layout = Layout { pretty: settings.given.flag("pretty")?, depth: settings.steps.len() - 1 };
        let nulls = settings.nulls()?;
        Ok(Box::new(XmlEncoder::new(settings.names, &record, columns, nulls, layout)?))
    }

    fn frame(&self, options: &Options, _columns: &[Column]) -> Result<Frame> {
        let settings = Settings::new(options)?;
        let pretty = settings.given.flag("pretty")?;
        let Some((_, around)) = settings.steps.split_last().filter(|(_, around)| !around.is_empty()) else {
            return Err(settings
                .given
                .wrong("records", "names the root alone: a document written with many records needs `root/record`"));
        };
        let mut declarations: Vec<(String, String)> = settings
            .given
            .list("namespaces")?
            .iter()
            .filter_map(|text| text.split_once('='))
            .map(|(prefix, uri)| (prefix.trim().to_owned(), uri.trim().to_owned()))
            .filter(|(prefix, _)| prefix != "xml")
            .collect();
        if settings.nulls()? == Nulls::Nil && !declarations.iter().any(|(prefix, _)| prefix == "xsi") {
            declarations.push(("xsi".into(), XSI_URI.into()));
        }
        let mut frame = Frame { before: b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_vec(), ..Frame::default() };
        let count = settings.given.text("count")?;
        let mut declared: Vec<&str> = Vec::new();
        for (depth, step) in around.iter().enumerate() {
            let name = written_name(&settings.names, step).map_err(|cause| settings.given.wrong("records", &cause))?;
            let indent = if pretty { 2 * depth } else { 0 };
            frame.before.push(b'\n');
            frame.before.resize(frame.before.len() + indent, b' ');
            frame.before.extend_from_slice(format!("<{name}").as_bytes());
            for (prefix, uri) in declarations.iter().filter(|_| depth == 0) {
                // Of several namespaces with one prefix the first one is written.
                if declared.contains(&prefix.as_str()) {
                    continue;
                }
                declared.push(prefix);
                let colon = if prefix.is_empty() { "" } else { ":" };
                frame.before.extend_from_slice(format!(" xmlns{colon}{prefix}=\"").as_bytes());
                encode::text(uri, true, &mut frame.before)
                    .map_err(|cause| settings.given.wrong("namespaces", &format!("has a URI that {cause}")))?;
                frame.before.push(b'"');
            }
            if let Some(name) = count.as_deref().and_then(|count| count.strip_prefix('@')).filter(|_| depth == 0) {
                let name =
                    written_name(&settings.names, name).map_err(|cause| settings.given.wrong("count", &cause))?;
                frame.before.extend_from_slice(format!(" {name}=\"").as_bytes());
                frame.count_at = Some(frame.before.len());
                frame.before.push(b'"');
            }
            frame.before.push(b'>');
            let end = format!("\n{}</{name}>", " ".repeat(indent));
            frame.after.splice(0..0, end.into_bytes());
        }
        let indent = if pretty { 2 * around.len() } else { 0 };
        frame.between.push(b'\n');
        frame.between.resize(1 + indent, b' ');
        if let Some(path) = count.filter(|count| !count.starts_with('@')) {
            let names = steps(&path)
                .iter()
                .map(|step| written_name(&settings.names, step))
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(|cause| settings.given.wrong("count", &cause))?;
            frame.before.extend_from_slice(&frame.between);
            names.iter().for_each(|name| frame.before.extend_from_slice(format!("<{name}>").as_bytes()));
            frame.count_at = Some(frame.before.len());
            names.iter().rev().for_each(|name| frame.before.extend_from_slice(format!("</{name}>").as_bytes()));
        }
        frame.before.extend_from_slice(&frame.between);
        frame.after.push(b'\n');
        Ok(frame)
    }
}
