//! Romanian personal codes (CNP).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::is_short_date;

pub(super) static DETECTOR: Detector = Detector {
    name: "ro_cnp",
    class: "pii.id.national",
    about: "Romanian personal codes (CNP): sex and century, date of birth, county, weights of 279146358279.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("13")], check }],
    words: &["cnp", "cod numeric", "cod numeric personal"],
    null_rate: 0.0015,
    shows: Shows::Number,
    finds: &["CNP 1630615123457"],
    finds_if_named: &["1630615123457"],
    passes: &["1630615123458", "1631315123457", "0630615123457"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let sum = digits.weighted(&[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    let last = if sum == 10 { 1 } else { sum };
    let dated = is_short_date(digits.number(1, 2), digits.number(3, 2), digits.number(5, 2));
    let county = matches!(digits.number(7, 2), 1..=48 | 51 | 52 | 70 | 80..=83);
    (digits[0] != 0 && dated && county && last == u32::from(digits[12])).then_some(Grade::Possible)
}
