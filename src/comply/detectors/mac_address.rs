//! MAC addresses.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::is_word;

pub(super) static DETECTOR: Detector = Detector {
    name: "mac_address",
    class: "pii.device",
    about: "MAC addresses: six pairs of hexadecimal digits with colons or hyphens.",
    looks: &[
        Looks::Mark { byte: b':', check },
        Looks::Mark { byte: b'-', check },
        Looks::Lead { lengths: &[2], check: lead },
    ],
    words: &["mac", "mac address", "macaddress", "bssid", "hardware address"],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["00:1A:2B:3C:4D:5E", "mac 3c-07-54-6b-91-aa", "01-23-45-67-89-AB"],
    finds_if_named: &[],
    passes: &[
        "00:1A:2B:3C:4D",
        "00:1A:2B:3C:4D:5E:6F",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "00:1A:2B:3C:4D:5G",
        "12:30:45",
    ],
};

/// Where digits begin it.
fn lead(site: &Site<'_>) -> Option<Found> {
    let word = (site.start, site.end);
    if !matches!(site.text.get(site.end), Some(b'-')) {
        return None;
    }
    check(&Site { start: site.end, end: site.end + 1, word, ..*site })
}

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let (start, to) = site.word;
    let separator = text[site.start];
    if to != site.start || to - start != 2 || is_part(text, start.wrapping_sub(1)) {
        return None;
    }
    let end = start + 17;
    let address = text.get(start..end)?;
    let holds = address
        .iter()
        .enumerate()
        .all(|(at, byte)| if at % 3 == 2 { *byte == separator } else { byte.is_ascii_hexdigit() });
    let uniform = address.iter().all(|byte| *byte == separator || *byte == address[0]);
    (holds && !uniform && !is_part(text, end)).then_some(Found { start, end, grade: Grade::Strong })
}

fn is_part(text: &[u8], at: usize) -> bool {
    is_word(text, at) || matches!(text.get(at), Some(b':' | b'-'))
}
