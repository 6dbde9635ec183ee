//! Dates of birth.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::{is_date, is_short_date};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "birth_date",
    class: "pii.birth_date",
    about: "Dates of birth: days somebody alive can be born on, where a name says so.",
    looks: &[
        Looks::Digits {
            layouts: &[
                Layout::weak("4*2*2"),
                Layout::weak("2*2*4"),
                Layout::weak("1*1*4"),
                Layout::weak("1*2*4"),
                Layout::weak("2*1*4"),
                Layout::weak("2*2*2"),
                Layout::weak("8"),
                Layout::weak("4*1*1"),
                Layout::weak("4*2*1"),
                Layout::weak("4*1*2"),
            ],
            check,
        },
        Looks::Whole(whole),
    ],
    words: &[
        "birth",
        "dob",
        "born",
        "birthday",
        "birthdate",
        "geburtsdatum",
        "geboren",
        "naissance",
        "nacimiento",
        "birth date",
        "geb",
        "né",
        "geburtstag",
    ],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["born 1980-02-03", "Geburtsdatum: 03.02.1980"],
    finds_if_named: &["1980-02-03", "02/03/1980", "1980-02-03T00:00:00Z", "3 February 1980"],
    passes: &["1980-02-30", "1780-02-03", "32.13.1980", "1980"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let holds = match (digits.len(), digits.grouped) {
        (8, false) => is_date(digits.number(0, 4), digits.number(4, 2), digits.number(6, 2)) || ends(digits),
        // Grouped: the layout says where the year stands, and four digits are one.
        (8, true) => is_date(digits.number(0, 4), digits.number(4, 2), digits.number(6, 2)) || ends(digits),
        (6, true) => {
            let (a, b, c) = (digits.number(0, 2), digits.number(2, 2), digits.number(4, 2));
            is_short_date(c, b, a)
                || is_short_date(c, a, b)
                || is_short_date(a, b, c)
                || is_date(digits.number(0, 4), digits.number(4, 1), digits.number(5, 1))
                || is_date(digits.number(2, 4), digits.number(1, 1), digits.number(0, 1))
        }
        (7, true) => (1900..2040).contains(&digits.number(3, 4)) || (1900..2040).contains(&digits.number(0, 4)),
        _ => false,
    };
    holds.then_some(Grade::Weak)
}

/// Day and month in either order, then the year.
fn ends(digits: &Digits<'_>) -> bool {
    let (a, b, year) = (digits.number(0, 2), digits.number(2, 2), digits.number(4, 4));
    is_date(year, a, b) || is_date(year, b, a)
}

/// A date with a time, or one with the month's name.
fn whole(text: &str) -> Option<Grade> {
    let bytes = text.as_bytes();
    if let Some([y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b' ']) = bytes.first_chunk::<11>() {
        let year: [u8; 4] = sums::digits(&[*y1, *y2, *y3, *y4])?;
        let rest: [u8; 4] = sums::digits(&[*m1, *m2, *d1, *d2])?;
        let number = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(*digit));
        return is_date(number(&year), number(&rest[..2]), number(&rest[2..])).then_some(Grade::Weak);
    }
    let has_month = MONTHS.iter().any(|month| {
        bytes.len() < 32 && bytes.windows(month.len()).any(|part| part.eq_ignore_ascii_case(month.as_bytes()))
    });
    let has_year =
        bytes.windows(4).any(|part| part.iter().all(u8::is_ascii_digit) && (1900..2040).contains(&sums::number(part)));
    (has_month && has_year).then_some(Grade::Weak)
}

/// How the months begin in English, German, French and Spanish.
const MONTHS: &[&str] = &[
    "jan", "feb", "f\u{e9}v", "mar", "m\u{e4}r", "apr", "avr", "abr", "may", "mai", "jun", "juin", "jul", "juil",
    "aug", "ao\u{fb}", "ago", "sep", "oct", "okt", "nov", "dec", "dez", "d\u{e9}c", "dic", "ene",
];
