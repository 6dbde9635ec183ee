//! `each`: a stream that is read once for each record of another one, or for each element of a list.

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;

use super::reader::Reader;
use super::template::Template;

/// The section.
pub static EACH: Section = Section {
    name: "each",
    about: "The stream is read once for each of these; `parent` is the one it is read for.",
    foreign: false,
    keys: &[
        Key::new("stream", Kind::Name(true), "For each record of this stream of the pack."),
        Key::new(
            "list",
            Kind::Expression,
            "For each element of this list: `params.accounts`, `secrets.access_tokens`, `found.sites`.",
        ),
        Key::new(
            "key",
            Kind::Expression,
            "What names the part of the stream between runs, from `parent`; the parent's key unless said, of secrets a hash.",
        ),
        Key::new("when", Kind::Expression, "Which of them: a condition on `parent`."),
        Key::new("parallel", Kind::Whole(1, 256), "How many are read at the same time, within the limits.")
            .default("8"),
        Key::new(
            "on_fail",
            Kind::Word(&[
                word("stop", "The run fails."),
                word("go_on", "The others are read; the run ends with exit code 2 and says which one failed."),
            ]),
            "What happens if one of them cannot be read.",
        )
        .default("stop"),
    ],
};

/// `each`, read.
#[derive(Debug)]
pub struct Each {
    /// The stream.
    pub stream: Option<String>,
    /// The list.
    pub list: Option<Template>,
    /// What names a part.
    pub key: Option<Template>,
    /// Which ones.
    pub when: Option<Template>,
    /// How many at the same time.
    pub parallel: usize,
    /// Whether the others go on if one fails.
    pub go_on: bool,
}

impl Each {
    /// Reads the section of a stream's `read`.
    pub fn read(reader: &mut Reader<'_>, read: &Raw) -> Option<Self> {
        let raw = reader.get(read, "each")?;
        if reader.get(raw, "stream").is_some() == reader.get(raw, "list").is_some() {
            reader.error(raw, "`each` names a stream or a list".into(), "write `stream: NAME` or `list: EXPRESSION`");
        }
        Some(Self {
            stream: reader.label(raw, "stream"),
            list: reader.expression(raw, "list"),
            key: reader.expression(raw, "key"),
            when: reader.expression(raw, "when"),
            parallel: reader.whole(raw, "parallel").map_or(8, |number| number as usize),
            go_on: reader.label(raw, "on_fail").as_deref() == Some("go_on"),
        })
    }
}
