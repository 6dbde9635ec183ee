//! Sex life and sexual orientation.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "sexual_orientation",
    class: "special.orientation",
    about: "Sex life and sexual orientation: by the name of the field alone, in eight languages.",
    looks: &[Looks::Whole(check)],
    words: &["sexual orientation", "sexuality", "orientación sexual", "geaardheid"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["hetero"],
    passes: &["1", "-"],
};

fn check(text: &str) -> Option<Grade> {
    let has_letters = text.chars().any(char::is_alphabetic);
    (has_letters && text.len() <= 4096).then_some(Grade::Weak)
}
