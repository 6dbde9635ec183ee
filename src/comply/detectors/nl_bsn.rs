//! Dutch citizen numbers (BSN).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "nl_bsn",
    class: "pii.id.national",
    about: "Dutch citizen numbers (BSN): nine digits that hold the proof of eleven.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("9"), Layout::weak("4.2.3"), Layout::weak("3_3_3")], check }],
    words: &["bsn", "burgerservicenummer", "sofi", "sofinummer"],
    null_rate: 0.091,
    shows: Shows::Number,
    finds: &["BSN 111222333"],
    finds_if_named: &["1112.22.333", "123456782"],
    passes: &["111252333", "000000000"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let sum = digits.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]);
    // The last digit counts against the others.
    (sum > 0 && sum % 11 == u32::from(digits[8])).then_some(Grade::Possible)
}
