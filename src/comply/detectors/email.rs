//! E-mail addresses.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::skip;

pub(super) static DETECTOR: Detector = Detector {
    name: "email",
    class: "pii.contact.email",
    about: "E-mail addresses: a local part without doubled points, labels of a host name, and a last label that is one (a known one is surer).",
    looks: &[Looks::Mark { byte: b'@', check }],
    words: &["email", "mail", "e mail", "courriel", "correo"],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["jane.doe+x@mail.example.com", "write to <o.brien@firma.de>.", "MAILTO:A@B.ORG"],
    finds_if_named: &[],
    passes: &[
        "@handle",
        "a@b",
        "a..b@c.com",
        "a@b..com",
        "a@-b.com",
        "a@b.c0m1",
        "x@1.2.3",
        "user@localhost",
        "pkg@1.2.3",
        "a @b.com",
        "icon@2x.png",
    ],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let end = host(text, site.end)?;
    let start = local(text, site.start)?;
    let label = text[..end].rsplit(|byte| *byte == b'.').next()?;
    Some(Found { start, end, grade: top(label)? })
}

/// Where the local part begins.
fn local(text: &[u8], at: usize) -> Option<usize> {
    let mut start = at;
    let least = at.saturating_sub(64);
    while start > least && is_local(text[start - 1]) {
        start -= 1;
    }
    // What opens a sentence or a quotation is no part of it.
    while start < at && matches!(text[start], b'.' | b'\'' | b'/' | b'=' | b'-' | b'*') {
        start += 1;
    }
    // `https://user:word@host` is no address.
    if start > 0 && (text[start - 1] == b':' && text[..start].iter().rev().skip(1).take(64).any(|byte| *byte == b'/')) {
        return None;
    }
    let part = &text[start..at];
    let doubled = part.windows(2).any(|pair| pair == b"..");
    (!part.is_empty() && !doubled && part.last() != Some(&b'.')).then_some(start)
}

/// What stands in addresses that people have; `=`, `&`, `?` and `/` rather end what is before one.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || b".!#$%'*+^_`{|}~-".contains(&byte)
}

/// Where the host name ends: after its last label that can be one.
fn host(text: &[u8], from: usize) -> Option<usize> {
    let most = text.len().min(from + 254);
    let (mut at, mut labels, mut end) = (from, 0, None);
    loop {
        let stop = skip(&text[..most], at, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte >= 0x80);
        let label = &text[at..stop];
        if label.is_empty() || label.len() > 63 || label[0] == b'-' || label[label.len() - 1] == b'-' {
            break;
        }
        labels += 1;
        if labels > 1 && label.len() > 1 && !label.iter().any(u8::is_ascii_digit) || label.starts_with(b"xn--") {
            end = Some(stop);
        } else {
            end = None;
        }
        if text.get(stop) != Some(&b'.') {
            break;
        }
        at = stop + 1;
    }
    // `a@b.com.` ends a sentence; `a@b.c_d` and `a@b..com` are no hosts.
    let end = end?;
    let behind = text.get(end).copied().unwrap_or(0);
    let doubled =
        behind == b'.' && text.get(end + 1) == Some(&b'.') && text.get(end + 2).is_some_and(u8::is_ascii_alphanumeric);
    (behind != b'_' && behind != b'@' && !doubled).then_some(end)
}

/// What a top-level label is worth.
fn top(label: &[u8]) -> Option<Grade> {
    let mut small = [0; 24];
    let Some(small) = small.get_mut(..label.len()) else { return Some(Grade::Likely) };
    small.copy_from_slice(label);
    small.make_ascii_lowercase();
    match &*small {
        // Names of files, not of hosts.
        b"png" | b"jpg" | b"jpeg" | b"gif" | b"svg" | b"webp" | b"js" | b"css" | b"html" | b"json" | b"xml"
        | b"yaml" | b"txt" | b"pdf" | b"php" | b"exe" | b"dll" => None,
        [_, _]
        | b"com"
        | b"org"
        | b"net"
        | b"edu"
        | b"gov"
        | b"mil"
        | b"int"
        | b"info"
        | b"biz"
        | b"name"
        | b"pro"
        | b"app"
        | b"dev"
        | b"cloud"
        | b"online"
        | b"email"
        | b"mail"
        | b"health"
        | b"bank"
        | b"shop"
        | b"store"
        | b"tech"
        | b"company"
        | b"agency"
        | b"berlin"
        | b"london"
        | b"paris"
        | b"mobi"
        | b"jobs"
        | b"museum"
        | b"coop"
        | b"aero"
        | b"travel"
        | b"asia"
        | b"cat"
        | b"tel"
        | b"xyz"
        | b"site"
        | b"club"
        | b"example"
        | b"test" => Some(Grade::Certain),
        other if other.starts_with(b"xn--") => Some(Grade::Certain),
        // Over a thousand more exist, and new ones come.
        _ => Some(Grade::Strong),
    }
}
