//! Indian tax numbers (PAN).

use super::{Detector, Found, Grade, Looks, Shows, Site};

pub(super) static DETECTOR: Detector = Detector {
    name: "in_pan",
    class: "pii.id.national",
    about: "Indian tax numbers (PAN): five letters, the fourth a kind of holder, four digits, a letter.",
    looks: &[Looks::Word { lengths: &[10], alone: true, check }],
    words: &["pan", "pan number", "permanent account", "income tax"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["ABCPE1234F"],
    finds_if_named: &[],
    passes: &["ABCXE1234F", "ABCPE0000F", "ABCPE12345", "abcpe1234f"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    let letters = word[..5].iter().chain(&word[9..]).all(u8::is_ascii_uppercase);
    let digits = word[5..9].iter().all(u8::is_ascii_digit) && &word[5..9] != b"0000";
    (letters && digits && b"ABCFGHJKLPT".contains(&word[3])).then(|| site.found(Grade::Likely))?
}
