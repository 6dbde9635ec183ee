//! South African identity numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::is_short_date;
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "za_id",
    class: "pii.id.national",
    about: "South African identity numbers: date of birth, a count, citizenship, Luhn.",
    looks: &[Looks::Digits { layouts: &[Layout::alone("13"), Layout::weak("6_4_3"), Layout::weak("6_4_2_1")], check }],
    words: &["id number", "identity number", "south african", "rsa id", "za id"],
    null_rate: 0.0009,
    shows: Shows::Number,
    finds: &["7503305044089"],
    finds_if_named: &[],
    passes: &["7503305044088", "7513305044089", "7503305044389"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let dated = is_short_date(digits.number(0, 2), digits.number(2, 2), digits.number(4, 2));
    // Race stood in the place before the last until 1986; 8 and 9 since.
    let form = matches!(digits[10], 0..=2) && matches!(digits[11], 8 | 9);
    (dated && form && sums::luhn(digits)).then_some(Grade::Likely)
}
