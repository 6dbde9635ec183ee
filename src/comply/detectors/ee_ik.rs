//! Estonian and Lithuanian personal codes.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::is_day;

pub(super) static DETECTOR: Detector = Detector {
    name: "ee_ik",
    class: "pii.id.national",
    about: "Estonian and Lithuanian personal codes: sex and century, date of birth, a count, two rounds of weights modulo 11.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("11")], check }],
    words: &["isikukood", "asmens kodas", "asmens", "personal code"],
    null_rate: 0.0034,
    shows: Shows::Number,
    finds: &["isikukood 36805280109"],
    finds_if_named: &["36805280109"],
    passes: &["36805280108", "06805280109", "36813280109"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let first = digits.weighted(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = digits.weighted(&[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10;
    let last = if first < 10 { first } else { second };
    let century = 1800 + 100 * (u32::from(digits[0].saturating_sub(1)) / 2);
    let dated = is_day(century + digits.number(1, 2), digits.number(3, 2), digits.number(5, 2));
    (matches!(digits[0], 1..=8) && dated && last == u32::from(digits[10])).then_some(Grade::Possible)
}
