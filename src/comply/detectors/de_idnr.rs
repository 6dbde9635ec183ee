//! German tax numbers of persons (IdNr).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "de_idnr",
    class: "pii.id.national",
    about: "German tax numbers of persons (IdNr): eleven digits, one of the first ten twice or three times and no other, ISO 7064 MOD 11,10.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("11"), Layout::weak("2_3_3_3")], check }],
    words: &[
        "idnr",
        "steuer id",
        "steuerid",
        "steuernummer",
        "steueridentifikationsnummer",
        "steuerliche",
        "tin",
        "identifikationsnummer",
    ],
    null_rate: 0.0041,
    shows: Shows::Number,
    finds: &["Steuer-ID 36 574 261 809"],
    finds_if_named: &["36574261809"],
    passes: &["36574261808", "06574261809", "36 554 266 806"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let mut counts = [0_u8; 10];
    digits.iter().take(10).for_each(|digit| counts[usize::from(*digit)] += 1);
    let mut repeated = counts.iter().filter(|count| **count > 1);
    let form = matches!((repeated.next(), repeated.next()), (Some(2 | 3), None));
    (form && digits[0] != 0 && sums::mod11_10(digits)).then_some(Grade::Possible)
}
