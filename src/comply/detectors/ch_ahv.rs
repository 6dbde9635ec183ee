//! Swiss social security numbers (AHV).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::expr::functions::checks;

pub(super) static DETECTOR: Detector = Detector {
    name: "ch_ahv",
    class: "pii.id.national",
    about: "Swiss social security numbers (AHV): 756, nine digits, and the check digit of EAN-13.",
    looks: &[Looks::Digits { layouts: &[Layout::alone("3.4.4.2"), Layout::alone("13")], check }],
    words: &["ahv", "avs", "ahv nummer", "ahvnr", "navs"],
    null_rate: 0.0001,
    shows: Shows::Number,
    finds: &["756.9217.0769.85", "7569217076985"],
    finds_if_named: &[],
    passes: &["756.9217.0769.84", "757.9217.0769.85"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let (last, others) = digits.split_last()?;
    (digits.number(0, 3) == 756 && checks::gs1_digit(others) == *last).then_some(Grade::Strong)
}
