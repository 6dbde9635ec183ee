//! US employer numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "us_ein",
    class: "pii.id.national",
    about: "US employer numbers: nine digits, the first two a prefix that the IRS gives out.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("2-7"), Layout::weak("9")], check }],
    words: &["ein", "fein", "employer identification", "tax id", "taxpayer"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &[],
    finds_if_named: &["91-1144442", "911144442"],
    passes: &["07-1144442", "00-1144442", "91-114444"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let never = matches!(digits.number(0, 2), 0 | 7..=9 | 17..=19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97);
    (!never).then_some(Grade::Weak)
}
