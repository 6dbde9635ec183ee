//! Croatian personal numbers (OIB).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "hr_oib",
    class: "pii.id.national",
    about: "Croatian personal numbers (OIB): eleven digits, ISO 7064 MOD 11,10.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("11")], check }],
    words: &["oib", "osobni identifikacijski"],
    null_rate: 0.1,
    shows: Shows::Number,
    finds: &["OIB 33392005961"],
    finds_if_named: &["33392005961"],
    passes: &["33392005962"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    (sums::mod11_10(digits) && !digits.is_uniform()).then_some(Grade::Possible)
}
