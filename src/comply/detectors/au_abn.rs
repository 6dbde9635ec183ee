//! Australian business numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "au_abn",
    class: "pii.id.customer",
    about: "Australian business numbers: eleven digits, the first one less, weights modulo 89.",
    looks: &[Looks::Digits { layouts: &[Layout::alone("2_3_3_3"), Layout::weak("11")], check }],
    words: &["abn", "business number"],
    null_rate: 0.011,
    shows: Shows::Number,
    finds: &["51 824 753 556"],
    finds_if_named: &["51824753556"],
    passes: &["51 824 753 557"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let sum = digits.weighted(&[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    let holds = digits[0] != 0 && sum >= 10 && (sum - 10).is_multiple_of(89);
    holds.then_some(if digits.grouped { Grade::Likely } else { Grade::Possible })
}
