//! Chinese identity numbers.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};
use crate::comply::detect::calendar::is_date;
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "cn_ric",
    class: "pii.id.national",
    about: "Chinese identity numbers: place, date of birth, a count, and one of eleven characters (GB 11643).",
    looks: &[
        Looks::Digits { layouts: &[Layout::alone("18")], check: digits },
        Looks::Word { lengths: &[18], alone: true, check: word },
    ],
    words: &["ric", "身份证", "identity card", "resident identity"],
    null_rate: 0.0003,
    shows: Shows::Number,
    finds: &["11010219840406970X", "360426199101010071"],
    finds_if_named: &[],
    passes: &["110102198404069701", "11010219841306970X"],
};

fn digits(digits: &Digits<'_>) -> Option<Grade> {
    holds(digits.get(..17)?, digits[17]).then_some(Grade::Strong)
}

fn word(site: &Site<'_>) -> Option<Found> {
    let (last, front) = site.word().split_last()?;
    let digits: [u8; 17] = sums::digits(front)?;
    (matches!(last, b'X' | b'x') && holds(&digits, 10)).then(|| site.found(Grade::Strong))?
}

fn holds(digits: &[u8], last: u8) -> bool {
    let number = |from: usize, length: usize| {
        digits[from..from + length].iter().fold(0, |sum, digit| sum * 10 + u32::from(*digit))
    };
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    matches!(digits[0], 1..=6 | 8)
        && is_date(number(6, 4), number(10, 2), number(12, 2))
        && (12 - sum % 11) % 11 == u32::from(last)
}
