//! UK NHS numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "uk_nhs",
    class: "phi.member_id",
    about: "UK NHS numbers: ten digits, weights 10 to 2, modulo 11, never a check digit of ten.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("10"), Layout::weak("3_3_4")], check }],
    words: &["nhs", "nhs number", "national health"],
    null_rate: 0.091,
    shows: Shows::Number,
    finds: &["NHS 943 476 5919"],
    finds_if_named: &["9434765919", "943-476-5919"],
    passes: &["9434765918", "943 476 591"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let rest = 11 - digits.weighted(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    (rest % 11 == u32::from(digits[9]) && rest != 10 && !digits.is_uniform()).then_some(Grade::Possible)
}
