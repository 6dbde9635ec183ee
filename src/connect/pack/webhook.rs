//! `webhook`: what a system sends when a record of it changes, and how it proves that it is from it.

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;

use super::auth::{Coding, Digest, coding, digest};
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
            Kind::Word(&[
                word("sha1", "HMAC-SHA1."),
                word("sha256", "HMAC-SHA256."),
                word("sha384", "HMAC-SHA384."),
                word("sha512", "HMAC-SHA512."),
            ]),
            "What is signed with.",
        )
        .default("sha256"),
        Key::new("encode", Kind::Word(CODINGS), "How the signature is written.").default("hex"),
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
}

impl Webhook {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Option<Self> {
        let raw = reader.get(pack, "webhook")?;
        Some(Self {
            body: reader.tree(raw, "body")?,
            headers: reader.tree(raw, "headers"),
            canonical: reader.template(raw, "canonical"),
            key_as: coding(reader, raw, "key_as").unwrap_or(Coding::Text),
            digest: digest(reader, raw),
            encode: coding(reader, raw, "encode").unwrap_or(Coding::Hex),
        })
    }
}
