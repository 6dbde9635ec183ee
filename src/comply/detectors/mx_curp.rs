//! Mexican population codes (CURP).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::calendar::is_short_date;
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "mx_curp",
    class: "pii.id.national",
    about: "Mexican population codes (CURP): letters of the name, date of birth, sex, state, and a check digit.",
    looks: &[Looks::Word { lengths: &[18], alone: true, check }],
    words: &["curp", "clave única", "clave unica"],
    null_rate: 0.0001,
    shows: Shows::Number,
    finds: &["BOXW310820HNERXN09"],
    finds_if_named: &[],
    passes: &["BOXW310820HNERXN08", "BOXW311320HNERXN09", "BOXW310820XNERXN09"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    let date: [u8; 6] = sums::digits(&word[4..10])?;
    let two = |at: usize| u32::from(date[at]) * 10 + u32::from(date[at + 1]);
    let letters = word[..4].iter().chain(&word[11..16]).all(u8::is_ascii_uppercase);
    let form = letters
        && matches!(word[10], b'H' | b'M' | b'X')
        && word[17].is_ascii_digit()
        && is_short_date(two(0), two(2), two(4));
    // In the alphabet of the code an N with a tilde stands behind N.
    let value = |byte: u8| sums::value(byte).map(|value| if byte > b'N' { value + 1 } else { value });
    let mut sum = 0;
    for (at, byte) in word[..17].iter().enumerate() {
        sum += value(*byte)? * (18 - at as u32);
    }
    (form && (10 - sum % 10) % 10 == u32::from(word[17] - b'0')).then(|| site.found(Grade::Certain))?
}
