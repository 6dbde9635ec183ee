//! The ways `sigv4`, `hmac` and `oauth1`: requests that are signed with a shared key.

use crate::config::yaml::Raw;

use super::super::reader::Reader;
use super::super::template::Template;

/// AWS Signature Version 4.
#[derive(Debug)]
pub struct SigV4 {
    /// The access key's id.
    pub key_id: Template,
    /// The secret access key.
    pub key: Template,
    /// What goes with a temporary key.
    pub session_token: Option<Template>,
    /// The service.
    pub service: Template,
    /// The region.
    pub region: Template,
    /// What is signed of the body.
    pub payload: Payload,
}

/// What is signed of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Its hash.
    Signed,
    /// Its hash, sent as a header; the path is escaped once.
    Hashed,
    /// Nothing.
    Unsigned,
}

/// A digest for keyed signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As they are.
    Text,
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
    /// Base64 for addresses, without padding.
    Base64Url,
}

/// A shared key over a text.
#[derive(Debug)]
pub struct Hmac {
    /// The key.
    pub key: Template,
    /// How the key is written.
    pub key_as: Coding,
    /// The text.
    pub canonical: Template,
    /// The digest.
    pub digest: Digest,
    /// How the signature is written.
    pub encode: Coding,
}

/// OAuth 1.0a.
#[derive(Debug)]
pub struct OAuth1 {
    /// The consumer key.
    pub key_id: Template,
    /// Its secret.
    pub consumer_secret: Template,
    /// The token.
    pub token: Option<Template>,
    /// Its secret.
    pub token_secret: Option<Template>,
    /// The digest.
    pub digest: Digest,
    /// The realm.
    pub realm: Option<Template>,
}

impl SigV4 {
    pub(super) fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        Some(Self {
            key_id: reader.template(raw, "key_id")?,
            key: reader.template(raw, "key")?,
            session_token: reader.template(raw, "session_token"),
            service: reader.template(raw, "service")?,
            region: reader.template(raw, "region")?,
            payload: match reader.label(raw, "payload").as_deref() {
                Some("hashed") => Payload::Hashed,
                Some("unsigned") => Payload::Unsigned,
                _ => Payload::Signed,
            },
        })
    }
}

impl Hmac {
    pub(super) fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        Some(Self {
            key: reader.template(raw, "key")?,
            key_as: coding(reader, raw, "key_as").unwrap_or(Coding::Text),
            canonical: reader.template(raw, "canonical")?,
            digest: digest(reader, raw),
            encode: coding(reader, raw, "encode").unwrap_or(Coding::Hex),
        })
    }
}

impl OAuth1 {
    pub(super) fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        Some(Self {
            key_id: reader.template(raw, "key_id")?,
            consumer_secret: reader.template(raw, "consumer_secret")?,
            token: reader.template(raw, "token"),
            token_secret: reader.template(raw, "token_secret"),
            digest: digest(reader, raw),
            realm: reader.template(raw, "realm"),
        })
    }
}

/// How the bytes of a value are written.
pub(in crate::connect::pack) fn coding(reader: &Reader<'_>, raw: &Raw, name: &str) -> Option<Coding> {
    Some(match reader.label(raw, name)?.as_str() {
        "hex" => Coding::Hex,
        "base64" => Coding::Base64,
        "base64url" => Coding::Base64Url,
        _ => Coding::Text,
    })
}

/// What is signed with.
pub(in crate::connect::pack) fn digest(reader: &Reader<'_>, raw: &Raw) -> Digest {
    match reader.label(raw, "algorithm").as_deref() {
        Some("sha1") => Digest::Sha1,
        Some("sha384") => Digest::Sha384,
        Some("sha512") => Digest::Sha512,
        _ => Digest::Sha256,
    }
}
