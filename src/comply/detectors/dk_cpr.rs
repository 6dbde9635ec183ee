//! Danish personal numbers (CPR).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::is_short_date;

pub(super) static DETECTOR: Detector = Detector {
    name: "dk_cpr",
    class: "pii.id.national",
    about: "Danish personal numbers (CPR): date of birth and a count; since 2007 no check digit holds for all.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("6-4"), Layout::weak("10"), Layout::weak("6_4")], check }],
    words: &["cpr", "cpr nummer", "personnummer", "cprnr"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["CPR 211062-5629"],
    finds_if_named: &["211062-5629", "2110625629"],
    passes: &["321062-5629", "211362-5629"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let dated = is_short_date(digits.number(4, 2), digits.number(2, 2), digits.number(0, 2));
    dated.then_some(Grade::Weak)
}
