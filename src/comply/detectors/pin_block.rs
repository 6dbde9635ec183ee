//! PIN blocks.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};

pub(super) static DETECTOR: Detector = Detector {
    name: "pin_block",
    class: "pci.sad.pin",
    about: "PIN blocks: eight bytes in hexadecimal that a name says are one; the first digit is a format of ISO 9564-1.",
    looks: &[
        Looks::Word { lengths: &[16], alone: false, check: word },
        Looks::Digits { layouts: &[Layout::weak("16")], check: digits },
    ],
    words: &["pin block", "pinblock", "encrypted pin", "pin"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["041234FFFFFFFFFF", "1A2B3C4D5E6F7081"],
    passes: &["X41234FFFFFFFFFF", "041234FFFFFFFFF"],
};

fn word(site: &Site<'_>) -> Option<Found> {
    site.word().iter().all(u8::is_ascii_hexdigit).then(|| site.found(Grade::Weak))?
}

fn digits(_: &Digits<'_>) -> Option<Grade> {
    Some(Grade::Weak)
}
