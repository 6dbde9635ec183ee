//! Passwords in addresses.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::is_alphanumeric;

pub(super) static DETECTOR: Detector = Detector {
    name: "url_password",
    class: "secret.password",
    about: "Passwords in addresses: `scheme://user:password@host`.",
    looks: &[Looks::Mark { byte: b'@', check }],
    words: &["url", "dsn", "connection string", "database url"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &["postgres://app:s3cr3tPw@db.internal:5432/x", "url https://u:pa-ss@h.example/"],
    finds_if_named: &[],
    passes: &[
        "https://user@host.example/",
        "https://h.example/a:b@c",
        "postgres://app:${PASSWORD}@db/x",
        "mailto:a@b.com",
        "http://u:***@h/",
        "postgres://app:<password>@db",
    ],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    // Back to the colon, then to the two slashes.
    let mut colon = None;
    let mut at = site.start;
    let least = at.saturating_sub(160);
    while at > least {
        at -= 1;
        match text[at] {
            b':' if text.get(at + 1..at + 3) == Some(b"//") => return None,
            b':' => colon = Some(at),
            b'/' if at > 1 && text[at - 1] == b'/' && text[at - 2] == b':' => break,
            b'/' | b' ' | b'\n' | b'"' | b'\'' | b'<' | b'>' if text[at] != b'/' || colon.is_none() => return None,
            b'/' => return None,
            _ => {}
        }
    }
    let (colon, begin) = (colon?, at);
    let is_scheme = at > 2 && text[..at - 2].last().is_some_and(u8::is_ascii_alphanumeric) && text[begin] == b'/';
    let word = &text[colon + 1..site.start];
    let hidden = word.len() < 3
        || word.starts_with(b"$")
        || word.starts_with(b"{")
        || word.starts_with(b"%7B")
        || word.iter().all(|byte| matches!(byte, b'*' | b'x' | b'.'));
    (is_scheme && !hidden && is_alphanumeric(text, site.end)).then_some(Found {
        start: colon + 1,
        end: site.start,
        grade: Grade::Certain,
    })
}
