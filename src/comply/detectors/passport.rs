//! Passport numbers.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};

pub(super) static DETECTOR: Detector = Detector {
    name: "passport",
    class: "pii.id.passport",
    about: "Passport numbers: six to nine letters and digits, where a name says so.",
    looks: &[
        Looks::Digits { layouts: &[Layout::weak("8"), Layout::weak("9"), Layout::weak("7")], check: digits },
        Looks::Word { lengths: &[7, 8, 9], alone: false, check: word },
    ],
    words: &["passport", "passport number", "reisepass", "passnummer", "passeport", "pasaporte", "travel document"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["passport C01X00T47", "passport no: 533380006"],
    finds_if_named: &["C01X00T47", "533380006"],
    passes: &["12", "passports", "ABCDEFGH1"],
};

fn digits(digits: &Digits<'_>) -> Option<Grade> {
    (!digits.is_uniform()).then_some(Grade::Weak)
}

fn word(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    let form = word.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (form && word.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4).then(|| site.found(Grade::Weak))?
}
