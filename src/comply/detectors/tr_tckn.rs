//! Turkish identity numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "tr_tckn",
    class: "pii.id.national",
    about: "Turkish identity numbers: eleven digits with two check digits.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("11")], check }],
    words: &["tckn", "tc kimlik", "kimlik", "kimlik no"],
    null_rate: 0.01,
    shows: Shows::Number,
    finds: &["TCKN 17291716060"],
    finds_if_named: &["17291716060"],
    passes: &["17291716050", "07291716092"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let odd = digits.weighted(&[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = digits.weighted(&[0, 1, 0, 1, 0, 1, 0, 1]);
    let tenth = (odd * 7 + 100 - even) % 10;
    let last = (odd + even + u32::from(digits[9])) % 10;
    (digits[0] != 0 && tenth == u32::from(digits[9]) && last == u32::from(digits[10])).then_some(Grade::Possible)
}
