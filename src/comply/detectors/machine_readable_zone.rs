//! Machine-readable lines of travel documents (ICAO 9303).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::{skip, sums};

pub(super) static DETECTOR: Detector = Detector {
    name: "machine_readable_zone",
    class: "pii.id.passport",
    about: "Machine-readable lines of travel documents (ICAO 9303): 44, 36 or 30 places with check digits of weights 7, 3 and 1.",
    looks: &[Looks::Mark { byte: b'<', check }],
    words: &["mrz", "passport", "machine readable"],
    null_rate: 0.001,
    shows: Shows::Nothing,
    finds: &[
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<< L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ],
    finds_if_named: &[],
    passes: &[
        "L898902C37UTO7408122F1204159ZE184226B<<<<<10",
        "a << b",
        "<html>",
        "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
    ],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    // The first filler after a word: the line begins with that word, or one before it.
    let (start, to) = site.word;
    if to != site.start || start > 0 && text[start - 1] == b'<' {
        return None;
    }
    let is_place = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<';
    let end = skip(&text[..text.len().min(start + 45)], start, is_place);
    let line = &text[start..end];
    // The second line of passports (44) and of visas and cards (36).
    let holds = matches!(line.len(), 44 | 36)
        && holds(&line[..9], line[9])
        && holds(&line[13..19], line[19])
        && holds(&line[21..27], line[27]);
    holds.then_some(Found { start, end, grade: Grade::Certain })
}

fn holds(field: &[u8], digit: u8) -> bool {
    let sum: u32 =
        field.iter().zip([7, 3, 1].iter().cycle()).map(|(byte, weight)| sums::value(*byte).unwrap_or(0) * weight).sum();
    digit == b'0' + (sum % 10) as u8
}
