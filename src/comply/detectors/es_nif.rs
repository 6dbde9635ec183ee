//! Spanish numbers of residents (DNI, NIF, NIE).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::{is_word, sums};

pub(super) static DETECTOR: Detector = Detector {
    name: "es_nif",
    class: "pii.id.national",
    about: "Spanish numbers of residents (DNI, NIF, NIE): eight digits, or X, Y or Z and seven, and the letter of their remainder by 23.",
    looks: &[
        Looks::Word { lengths: &[9], alone: true, check: plain },
        Looks::Lead { lengths: &[7, 8], check: hyphened },
    ],
    words: &["nif", "dni", "nie", "documento", "identidad", "cédula"],
    null_rate: 0.043,
    shows: Shows::Number,
    finds: &["12345678Z", "X1234567L", "DNI 12345678-Z", "X-1234567-L"],
    finds_if_named: &[],
    passes: &["12345678A", "X1234567A", "1234567Z", "12345678-A"],
};

fn plain(site: &Site<'_>) -> Option<Found> {
    let (letter, body) = site.word().split_last()?;
    holds(body, *letter).then(|| site.found(Grade::Likely))?
}

fn hyphened(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let letter = *text.get(site.end + 1).filter(|_| text[site.end] == b'-' && !is_word(text, site.end + 2))?;
    let (start, body) = match site.word() {
        body @ [_, _, _, _, _, _, _, _] => (site.start, <[u8; 8]>::try_from(body).ok()?),
        seven => {
            let first = *site.start.checked_sub(2).and_then(|at| text.get(at))?;
            let mut body = [first; 8];
            body[1..].copy_from_slice(seven);
            (site.start - 2, body)
        }
    };
    let begins = start == site.start || text[site.start - 1] == b'-' && !is_word(text, start.wrapping_sub(1));
    (begins && holds(&body, letter)).then_some(Found { start, end: site.end + 2, grade: Grade::Strong })
}

fn holds(body: &[u8], letter: u8) -> bool {
    let Some((first, rest)) = body.split_first() else { return false };
    let lead = match first {
        b'0'..=b'9' => u32::from(first - b'0'),
        b'X' | b'Y' | b'Z' => u32::from(first - b'X'),
        _ => return false,
    };
    let Some(rest) = sums::digits::<7>(rest) else { return false };
    let number = rest.iter().fold(lead, |sum, digit| sum * 10 + u32::from(*digit));
    b"TRWAGMYFPDXBNJZSQVHLCKE"[number as usize % 23] == letter.to_ascii_uppercase()
}
