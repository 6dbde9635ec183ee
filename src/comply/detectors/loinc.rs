//! Laboratory observations in LOINC.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "loinc",
    class: "phi.lab",
    about: "Laboratory observations in LOINC: up to seven digits, a hyphen and a check digit.",
    looks: &[Looks::Digits {
        layouts: &[
            Layout::weak("2-1"),
            Layout::weak("3-1"),
            Layout::weak("4-1"),
            Layout::weak("5-1"),
            Layout::weak("6-1"),
            Layout::weak("7-1"),
        ],
        check,
    }],
    words: &["loinc", "lab code", "observation code", "loinc code"],
    null_rate: 0.1,
    shows: Shows::Form,
    finds: &["loinc 2345-7"],
    finds_if_named: &["2345-7", "718-7"],
    passes: &["2345-8", "23457"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    sums::luhn(digits).then_some(Grade::Possible)
}
