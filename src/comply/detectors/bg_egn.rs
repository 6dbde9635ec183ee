//! Bulgarian personal numbers (EGN).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::is_day;

pub(super) static DETECTOR: Detector = Detector {
    name: "bg_egn",
    class: "pii.id.national",
    about: "Bulgarian personal numbers (EGN): date of birth with the century in the month, weights modulo 11.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("10")], check }],
    words: &["egn", "егн"],
    null_rate: 0.011,
    shows: Shows::Number,
    finds: &["EGN 7523169263"],
    finds_if_named: &["7523169263"],
    passes: &["7523169264", "7563169263"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let last = digits.weighted(&[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    let (year, month, day) = (digits.number(0, 2), digits.number(2, 2), digits.number(4, 2));
    let dated = match month {
        41.. => is_day(2000 + year, month - 40, day),
        21.. => is_day(1800 + year, month - 20, day),
        _ => is_day(1900 + year, month, day),
    };
    (dated && last == u32::from(digits[9])).then_some(Grade::Possible)
}
