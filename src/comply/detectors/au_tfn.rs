//! Australian tax file numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "au_tfn",
    class: "pii.id.national",
    about: "Australian tax file numbers: nine digits, weights modulo 11.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("9"), Layout::weak("3_3_3")], check }],
    words: &["tfn", "tax file", "tax file number"],
    null_rate: 0.091,
    shows: Shows::Number,
    finds: &["TFN 123 456 782"],
    finds_if_named: &["123456782"],
    passes: &["123456783", "000000000"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let sum = digits.weighted(&[1, 4, 3, 7, 5, 8, 6, 9, 10]);
    (sum > 0 && sum.is_multiple_of(11)).then_some(Grade::Possible)
}
