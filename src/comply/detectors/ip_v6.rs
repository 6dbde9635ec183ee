//! IPv6 addresses (RFC 4291), written out or with one gap.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::{is_word, skip};
use std::net::Ipv6Addr;

pub(super) static DETECTOR: Detector = Detector {
    name: "ip_v6",
    class: "pii.device.ip",
    about: "IPv6 addresses (RFC 4291), written out or with one gap.",
    looks: &[Looks::Mark { byte: b':', check }],
    words: &["ip", "ipv6", "ip address", "ipaddress"],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["2a02:8071:2c84:9d00:a1b2:c3d4:e5f6:7890", "from 2a00:1450:4001:81b::200e to"],
    finds_if_named: &[],
    passes: &["10:30:45", "::", "a::b::c", "std::vec::Vec", "12:34", "2001:db8:1:2:3:4:5:6:7", "::1"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    // Begin at the first colon of the address only.
    let (from, to) = site.word;
    let start = if to == site.start && to > from && to - from <= 4 { from } else { site.start };
    if start == site.start && text.get(site.end) != Some(&b':')
        || matches!(text.get(start.wrapping_sub(1)), Some(b':' | b'.'))
    {
        return None;
    }
    let end = skip(&text[..text.len().min(start + 46)], start, |byte| {
        byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
    });
    let trimmed = text[start..end].trim_ascii_end();
    let end = if trimmed.last() == Some(&b'.') { end - 1 } else { end };
    let colons = text[start..end].iter().filter(|byte| **byte == b':').count();
    if colons < 2 || is_word(text, end) || is_word(text, start.wrapping_sub(1)) {
        return None;
    }
    let address: Ipv6Addr = std::str::from_utf8(&text[start..end]).ok()?.parse().ok()?;
    let nobody = address.is_loopback() || address.is_unspecified();
    // `a::b` is a name in many languages; an address is longer.
    let short = end - start < 8;
    (!nobody).then_some(Found { start, end, grade: if short { Grade::Weak } else { Grade::Likely } })
}
