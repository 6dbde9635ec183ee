//! US routing numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::expr::functions::checks;

pub(super) static DETECTOR: Detector = Detector {
    name: "us_routing",
    class: "financial.account",
    about: "US routing numbers: nine digits in a range that is given out, weights 3, 7 and 1 (ABA).",
    looks: &[Looks::Digits { layouts: &[Layout::weak("9"), Layout::weak("4_4_1")], check }],
    words: &["routing", "aba", "rtn", "routing number", "transit number"],
    null_rate: 0.038,
    shows: Shows::Number,
    finds: &["routing number 111000025"],
    finds_if_named: &["021000021"],
    passes: &["111000026", "511000025"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    (checks::aba_holds(digits) && !digits.is_uniform()).then_some(Grade::Possible)
}
