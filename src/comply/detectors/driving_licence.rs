//! Numbers of driving licences.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};

pub(super) static DETECTOR: Detector = Detector {
    name: "driving_licence",
    class: "pii.id.licence",
    about: "Numbers of driving licences: no form is common to them, a name must say so.",
    looks: &[
        Looks::Whole(check),
        Looks::Word { lengths: &[6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18], alone: false, check: word },
        Looks::Digits {
            layouts: &[Layout::weak("7"), Layout::weak("8"), Layout::weak("9"), Layout::weak("10"), Layout::weak("12")],
            check: digits,
        },
    ],
    words: &[
        "driver license",
        "drivers license",
        "driving licence",
        "driving license",
        "driver licence",
        "drivers licence",
        "license number",
        "licence number",
        "führerschein",
        "permis",
        "dl number",
    ],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["driver license A1234567"],
    finds_if_named: &["D1234-56789-01234", "MORGA657054SM9IJ"],
    passes: &["none", "n/a"],
};

fn check(text: &str) -> Option<Grade> {
    let count = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'*'));
    (plain && count >= 3 && (5..=20).contains(&text.len())).then_some(Grade::Weak)
}

fn word(site: &Site<'_>) -> Option<Found> {
    check(std::str::from_utf8(site.word()).ok()?).and_then(|grade| site.found(grade))
}

fn digits(digits: &Digits<'_>) -> Option<Grade> {
    (!digits.is_uniform()).then_some(Grade::Weak)
}
