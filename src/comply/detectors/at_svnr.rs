//! Austrian social insurance numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "at_svnr",
    class: "pii.id.national",
    about: "Austrian social insurance numbers: a count, its check digit modulo 11, and the date of birth.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("10"), Layout::weak("4_6")], check }],
    words: &["svnr", "sozialversicherungsnummer", "sv nummer", "versicherungsnummer"],
    null_rate: 0.004,
    shows: Shows::Number,
    finds: &["SVNR 1237 010180"],
    finds_if_named: &["1237010180"],
    passes: &["1238010180", "1237320180"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let sum = digits.weighted(&[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
    // Months 13 to 15 stand for a day that is not known.
    let dated = matches!(digits.number(4, 2), 1..=31) && matches!(digits.number(6, 2), 1..=15);
    (digits[0] != 0 && dated && sum == u32::from(digits[3])).then_some(Grade::Possible)
}
