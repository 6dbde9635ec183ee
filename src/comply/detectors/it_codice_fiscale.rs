//! Italian tax codes.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "it_codice_fiscale",
    class: "pii.id.national",
    about: "Italian tax codes: names, date and place of birth in sixteen places, and a letter over odd and even ones.",
    looks: &[Looks::Word { lengths: &[16], alone: true, check }],
    words: &["codice fiscale", "codicefiscale", "fiscale", "cf"],
    null_rate: 0.0116,
    shows: Shows::Number,
    finds: &["RSSMRA85T10A562S"],
    finds_if_named: &[],
    passes: &["RSSMRA85T10A562T", "RSSMRA85T10A56", "RSSMRA85T99A562S"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    // Where a code was taken, letters stand for digits.
    let is_digit = |byte: u8| byte.is_ascii_digit() || b"LMNPQRSTUV".contains(&byte.to_ascii_uppercase());
    let form = word.iter().enumerate().all(|(at, byte)| match at {
        0..=5 | 11 | 15 => byte.is_ascii_alphabetic(),
        8 => b"ABCDEHLMPRST".contains(&byte.to_ascii_uppercase()),
        _ => is_digit(*byte),
    });
    let day = (word[9], word[10]);
    let dated =
        !day.0.is_ascii_digit() || !day.1.is_ascii_digit() || matches!(sums::number(&word[9..11]), 1..=31 | 41..=71);
    let sum: u32 =
        word[..15].iter().enumerate().map(|(at, byte)| if at % 2 == 0 { odd(*byte) } else { even(*byte) }).sum();
    (form && dated && b'A' + (sum % 26) as u8 == word[15].to_ascii_uppercase()).then(|| site.found(Grade::Certain))?
}

fn even(byte: u8) -> u32 {
    if byte.is_ascii_digit() { u32::from(byte - b'0') } else { u32::from(byte.to_ascii_uppercase() - b'A') }
}

fn odd(byte: u8) -> u32 {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    ODD.get(even(byte) as usize).copied().unwrap_or(0)
}
