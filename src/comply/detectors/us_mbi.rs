//! US Medicare numbers (MBI).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::is_word;

pub(super) static DETECTOR: Detector = Detector {
    name: "us_mbi",
    class: "phi.member_id",
    about: "US Medicare numbers (MBI): eleven places, each of its own alphabet, without S, L, O, I, B and Z.",
    looks: &[Looks::Word { lengths: &[4, 11], alone: true, check }],
    words: &["mbi", "medicare", "beneficiary"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["1EG4-TE5-MK73", "1EG4TE5MK73"],
    finds_if_named: &[],
    passes: &["1SG4-TE5-MK73", "0EG4TE5MK73", "1EG4-TE5-MK7", "1EG4-TE5-MK733"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let end = match site.end - site.start {
        4 if text.get(site.end) == Some(&b'-') && text.get(site.end + 4) == Some(&b'-') => site.start + 13,
        11 => site.end,
        _ => return None,
    };
    if is_word(text, end) {
        return None;
    }
    let mut count = 0;
    for byte in text.get(site.start..end)?.iter().filter(|byte| **byte != b'-') {
        let letter = byte.is_ascii_uppercase() && !b"SLOIBZ".contains(byte);
        let holds = match count {
            0 => matches!(byte, b'1'..=b'9'),
            1 | 4 | 7 | 8 => letter,
            2 | 5 => letter || byte.is_ascii_digit(),
            _ => byte.is_ascii_digit(),
        };
        if !holds {
            return None;
        }
        count += 1;
    }
    (count == 11).then_some(Found { start: site.start, end, grade: Grade::Strong })
}
