//! Racial or ethnic origin.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "ethnicity",
    class: "special.ethnicity",
    about: "Racial or ethnic origin: by the name of the field alone, in eight languages.",
    looks: &[Looks::Whole(check)],
    words: &["ethnicity", "race", "ethnie", "etnia", "etniciteit"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["Basque"],
    passes: &["1", "-"],
};

fn check(text: &str) -> Option<Grade> {
    let has_letters = text.chars().any(char::is_alphabetic);
    (has_letters && text.len() <= 4096).then_some(Grade::Weak)
}
