//! US provider numbers (NPI).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::expr::functions::checks;

pub(super) static DETECTOR: Detector = Detector {
    name: "us_npi",
    class: "phi.provider_id",
    about: "US provider numbers (NPI): ten digits from 1 or 2 on that hold by Luhn behind 80840 (45 CFR 162.406).",
    looks: &[Looks::Digits { layouts: &[Layout::weak("10")], check }],
    words: &["npi", "provider identifier", "national provider", "provider id"],
    null_rate: 0.02,
    shows: Shows::Number,
    finds: &["NPI 1234567893"],
    finds_if_named: &["1245319599"],
    passes: &["1234567894", "3234567893"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    checks::npi_holds(digits).then_some(Grade::Possible)
}
