//! `webhook`: what a system sends when a record of it changes, and how it proves that it is from it.

use std::time::Duration;

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;

use super::auth::{Coding, Digest, HMACS, coding, digest};
use super::reader::Reader;
use super::template::{Template, Tree};

/// The section.
pub static WEBHOOK: Section = Section {
    name: "a webhook",
    about: "The message that the system sends when a record changes, signed as it signs: `connect simulate --webhook` sends it so.",
    foreign: false,
    keys: &[
        Key::new(
            "body",
            Kind::Value,
            "The message, from `record`, `stream.name`, `item.event` (`create`, `update`, `upsert`, `delete`), `params` and `fresh`.",
        )
        .required(),
        Key::new(
            "headers",
            Kind::Record,
            "Its headers, which see `request` and, if it is signed, `auth.signature`, too.",
        ),
        Key::new(
            "canonical",
            Kind::Label,
            "The text that is signed with the shared key (HMAC); it sees `request` and `fresh`, the same values as what is sent. Left out, nothing is signed.",
        ),
        Key::new("key_as", Kind::Word(CODINGS), "What the shared key is written as.").default("text"),
        Key::new(
            "algorithm",
            Kind::Word(HMACS),
            "What is signed with.",
        )
        .default("sha256"),
        Key::new("encode", Kind::Word(CODINGS), "How the signature is written.").default("hex"),
        Key::new(
            "verify",
            Kind::Section(&VERIFY),
            "How a message that came is checked: by the operation `verify_webhook` of `connect call`.",
        ),
    ],
};

static VERIFY: Section = Section {
    name: "a check of webhooks",
    about: "What tells a message of the system from one of anybody else: `canonical` is made of what came, with the time that it names as `fresh`, and signed once more.",
    foreign: false,
    keys: &[
        Key::new(
            "key",
            Kind::OneOrMany(&Kind::Label),
            "The shared key, from `secrets`; several while one follows another. One that comes to nothing is passed over.",
        )
        .required(),
        Key::new(
            "signatures",
            Kind::Expression,
            "The signature that `request.headers` (names in lower case) carry, or a list of them: one has to be right.",
        )
        .required(),
        Key::new("time", Kind::Expression, "When it was signed: seconds or milliseconds since 1970, or RFC 3339."),
        Key::new("tolerance", Kind::Length, "How far that may be from now, to either side.").default("5m"),
    ],
};

const CODINGS: &[crate::config::keys::Word] = &[
    word("text", "As it is."),
    word("hex", "Hexadecimal."),
    word("base64", "Base64."),
    word("base64url", "Base64 for addresses."),
];

/// `webhook`, read.
#[derive(Debug)]
pub struct Webhook {
    /// The message.
    pub body: Tree,
    /// Its headers.
    pub headers: Option<Tree>,
    /// The text that is signed.
    pub canonical: Option<Template>,
    /// What the shared key is written as.
    pub key_as: Coding,
    /// What is signed with.
    pub digest: Digest,
    /// How the signature is written.
    pub encode: Coding,
    /// How a message is checked.
    pub check: Option<Check>,
}

/// `verify`, read.
#[derive(Debug)]
pub struct Check {
    /// The shared keys.
    pub keys: Vec<Template>,
    /// The signatures that a message carries.
    pub signatures: Template,
    /// When it was signed.
    pub time: Option<Template>,
    /// How far that may be from now.
    pub tolerance: Duration,
}

impl Webhook {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Option<Self> {
        let raw = reader.get(pack, "webhook")?;
        let check = reader.get(raw, "verify");
        if let (Some(check), None) = (check, reader.get(raw, "canonical")) {
            reader.error(check, "nothing is signed: `canonical` is missing".into(), "say what text is signed");
        }
        let check = check.and_then(|check| Check::read(reader, check));
        Some(Self {
            body: reader.tree(raw, "body")?,
            headers: reader.tree(raw, "headers"),
            canonical: reader.template(raw, "canonical"),
            key_as: coding(reader, raw, "key_as").unwrap_or(Coding::Text),
            digest: digest(reader, raw),
            encode: coding(reader, raw, "encode").unwrap_or(Coding::Hex),
            check,
        })
    }
}

impl Check {
    fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        let keys: Vec<&Raw> = reader.items(raw, "key").collect();
        Some(Self {
            keys: keys
                .into_iter()
                .filter_map(|key| Template::compile(key, reader.source, &reader.environment, reader.findings))
                .collect(),
            signatures: reader.expression(raw, "signatures")?,
            time: reader.expression(raw, "time"),
            tolerance: reader.length(raw, "tolerance").unwrap_or(Duration::from_secs(300)),
        })
    }
}
