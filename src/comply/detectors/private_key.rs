//! Private keys in PEM.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::skip;

pub(super) static DETECTOR: Detector = Detector {
    name: "private_key",
    class: "secret.key",
    about: "Private keys in PEM: the first line of any kind of private key, to the last line if that stands in the text, too.",
    looks: &[Looks::Mark { byte: b'-', check }],
    words: &["private key", "key", "pem"],
    null_rate: 1.0e-06,
    shows: Shows::Nothing,
    finds: &[
        "-----BEGIN RSA PRIVATE KEY----- MIIEow -----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----MIIE",
        "-----BEGIN PGP PRIVATE KEY BLOCK----- x",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
    finds_if_named: &[],
    passes: &[
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "BEGIN PRIVATE KEY",
        "---- BEGIN",
        "-----BEGIN RSA PRIVATE",
    ],
};

const BEGIN: &[u8] = b"-----BEGIN ";

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    if !text[site.start..].starts_with(BEGIN) {
        return None;
    }
    let from = site.start + BEGIN.len();
    let label = skip(&text[..text.len().min(from + 64)], from, |byte| {
        byte.is_ascii_uppercase() || byte == b' ' || byte.is_ascii_digit()
    });
    let name = &text[from..label];
    let is_private = name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK");
    if !is_private || !text[label..].starts_with(b"-----") {
        return None;
    }
    let end = memchr::memmem::find(&text[label..], b"-----END ").map_or(label + 5, |at| {
        let line = label + at + 9;
        let stop = skip(text, line, |byte| byte != b'-' && byte != b'\n');
        skip(text, stop, |byte| byte == b'-')
    });
    Some(Found { start: site.start, end, grade: Grade::Certain })
}
