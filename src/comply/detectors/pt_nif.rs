//! Portuguese tax numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "pt_nif",
    class: "pii.id.national",
    about: "Portuguese tax numbers: nine digits, weights 9 to 2, modulo 11.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("9"), Layout::weak("3_3_3")], check }],
    words: &["nif", "contribuinte", "número fiscal", "numero fiscal", "nipc"],
    null_rate: 0.09,
    shows: Shows::Number,
    finds: &["NIF 501964843"],
    finds_if_named: &["501 964 843"],
    passes: &["501964842", "001964843"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let rest = (11 - digits.weighted(&[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10;
    (digits[0] != 0 && rest == u32::from(digits[8])).then_some(Grade::Possible)
}
