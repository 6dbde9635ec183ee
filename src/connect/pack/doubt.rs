//! What a pack says for the case that nobody knows whether a write took effect, and against changes of
//! others: `idempotency`, `on_unknown`, `look_up`, `lock`.

use std::time::Duration;

use crate::config::keys::{Key, Kind, Section, Word, word};
use crate::config::yaml::Raw;
use crate::connect::web::Spot;

use super::reader::Reader;
use super::request::{self, RequestSpec, request_keys};
use super::template::Template;

/// `idempotency`
pub static IDEMPOTENCY: Section = Section {
    name: "idempotency",
    about: "A key by which the other side knows a request again: made once, kept with what is sent, the same on each resend.",
    foreign: false,
    keys: &[
        Key::new("key", Kind::Label, "The key.").default("\"{{ batch.key }}\""),
        Key::new("send", Kind::Section(&request::SPOT), "Where it goes.").required(),
        Key::new(
            "keep",
            Kind::Length,
            "How long the other side knows it. What is in doubt for longer is not sent again: it is looked up or parked.",
        )
        .default("24h"),
    ],
};

/// The words of `on_unknown`.
pub const ON_UNKNOWN: &[Word] = &[
    word("resend", "They are sent again: with an idempotency key, by key, or at the risk of doubling them."),
    word("look_up", "The other side is asked; what is not there is sent again."),
    word("park", "They are set aside as dead letters, and the run ends with exit code 5."),
];

/// `look_up`, `find`
pub static LOOK_UP: Section = Section {
    name: "a look-up",
    about: "Asks the other side for one record (`record`), or for all of a batch at once (`records`).",
    foreign: false,
    keys: request_keys![
        Key::new(
            "found",
            Kind::Expression,
            "What was found, of `answer`: a record, or a list of which the first that fits counts. Null, an empty list and status 404 are nothing.",
        )
        .default("answer.body"),
        Key::new("after", Kind::Length, "How long the other side takes until it shows what it has taken.").default("0s"),
        Key::new("fits", Kind::Expression, "What `existing` must fulfil to be this `record`. Left out, anything found fits."),
    ],
};

/// `lock`
pub static LOCK: Section = Section {
    name: "lock",
    about: "The version that a change is based on: the other side refuses the change if it has another one by now (fault class `conflict`).",
    foreign: false,
    keys: &[
        Key::new("version", Kind::Expression, "The version, of `record`, `existing`, or `answer` (of `read`).")
            .required(),
        Key::new("read", Kind::Section(&LOOK_UP), "Reads the record first, where its version is not known."),
        Key::new("send", Kind::Section(&request::SPOT), "Where the version goes.").required(),
        Key::new(
            "on_conflict",
            Kind::Word(&[
                word("retry", "The version is read again, and the change is made on top of it."),
                word("reject", "The record is refused."),
            ]),
            "What a conflict means.",
        )
        .default("reject"),
    ],
};

/// What is done with records in doubt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnknown {
    /// They are sent again.
    #[default]
    Resend,
    /// The other side is asked.
    LookUp,
    /// They are set aside.
    Park,
}

/// `idempotency`, read.
#[derive(Debug)]
pub struct Idempotency {
    /// The key; `None`: `batch.key`.
    pub key: Option<Template>,
    /// Where it goes.
    pub send: Spot,
    /// How long the other side knows it.
    pub keep: Duration,
}

/// `look_up` or `find`, read.
#[derive(Debug)]
pub struct LookUp {
    /// The request.
    pub request: RequestSpec,
    /// What was found; `None`: the body.
    pub found: Option<Template>,
    /// What it must fulfil.
    pub fits: Option<Template>,
    /// How long the other side takes until it shows what it has taken.
    pub after: Duration,
}

/// `lock`, read.
#[derive(Debug)]
pub struct Lock {
    /// The version.
    pub version: Template,
    /// Reads it first.
    pub read: Option<LookUp>,
    /// Where it goes.
    pub send: Spot,
    /// Whether a conflict is tried again on top of what is there.
    pub retry: bool,
}

/// Reads `on_unknown` of a way.
pub fn on_unknown(reader: &Reader<'_>, way: &Raw) -> OnUnknown {
    match reader.label(way, "on_unknown").as_deref() {
        Some("look_up") => OnUnknown::LookUp,
        Some("park") => OnUnknown::Park,
        _ => OnUnknown::Resend,
    }
}

impl Idempotency {
    /// Reads the section of a way.
    pub fn read(reader: &mut Reader<'_>, way: &Raw) -> Option<Self> {
        let raw = reader.get(way, "idempotency")?;
        let keep = reader.length(raw, "keep").unwrap_or(Duration::from_secs(24 * 3600));
        Some(Self { key: reader.template(raw, "key"), send: reader.spot(raw, "send")?, keep })
    }
}

impl LookUp {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        Some(Self {
            request: RequestSpec::read(reader, raw),
            found: reader.expression(raw, "found"),
            fits: reader.expression(raw, "fits"),
            after: reader.length(raw, "after").unwrap_or_default(),
        })
    }
}

impl Lock {
    /// Reads the section of a way.
    pub fn read(reader: &mut Reader<'_>, way: &Raw) -> Option<Self> {
        let raw = reader.get(way, "lock")?;
        let read = reader.get(raw, "read").and_then(|of| LookUp::read(reader, of));
        Some(Self {
            version: reader.expression(raw, "version")?,
            read,
            send: reader.spot(raw, "send")?,
            retry: reader.label(raw, "on_conflict").as_deref() == Some("retry"),
        })
    }
}
