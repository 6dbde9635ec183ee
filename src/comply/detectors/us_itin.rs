//! US individual taxpayer numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "us_itin",
    class: "pii.id.national",
    about: "US individual taxpayer numbers: nine digits from 9 on, the fourth and fifth 50 to 65, 70 to 88, 90 to 92 or 94 to 99.",
    looks: &[Looks::Digits { layouts: &[Layout::alone("3_2_4"), Layout::weak("9")], check }],
    words: &["itin", "taxpayer", "tax id", "individual taxpayer"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["912-70-1234"],
    finds_if_named: &["912701234"],
    passes: &["912-66-1234", "912-89-1234", "912-93-1234", "812-70-1234"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let holds = digits[0] == 9 && matches!(digits.number(3, 2), 50..=65 | 70..=88 | 90..=92 | 94..=99);
    holds.then_some(if digits.grouped { Grade::Strong } else { Grade::Weak })
}
