//! Polish numbers (PESEL).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::is_day;

pub(super) static DETECTOR: Detector = Detector {
    name: "pl_pesel",
    class: "pii.id.national",
    about: "Polish numbers (PESEL): date of birth with the century in the month, weights 1, 3, 7 and 9.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("11")], check }],
    words: &["pesel"],
    null_rate: 0.018,
    shows: Shows::Number,
    finds: &["PESEL 44051401359"],
    finds_if_named: &["44051401359"],
    passes: &["44051401358", "44131401359"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let sum = digits.weighted(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
    let (year, month, day) = (digits.number(0, 2), digits.number(2, 2), digits.number(4, 2));
    let century = [1900, 2000, 2100, 2200, 1800][(month / 20) as usize % 5];
    let dated = is_day(century + year, month % 20, day);
    (dated && (10 - sum % 10) % 10 == u32::from(digits[10])).then_some(Grade::Possible)
}
