//! Canadian social insurance numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "ca_sin",
    class: "pii.id.national",
    about: "Canadian social insurance numbers: nine digits, not from 0 or 8 on, that hold by Luhn.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("9"), Layout::weak("3_3_3")], check }],
    words: &["sin", "social insurance", "social insurance number", "nas"],
    null_rate: 0.08,
    shows: Shows::Number,
    finds: &["SIN 193-456-787"],
    finds_if_named: &["193 456 787", "193456787"],
    passes: &["193-456-788", "093456788", "899999996"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    (!matches!(digits[0], 0 | 8) && sums::luhn(digits)).then_some(Grade::Possible)
}
