//! Health data.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "health",
    class: "phi",
    about: "Health data: by the name of the field alone.",
    looks: &[Looks::Whole(check)],
    words: &["health", "allergies", "disability", "blood type", "medical history", "vorerkrankungen", "handicap"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["asthma"],
    passes: &["1", "-"],
};

fn check(text: &str) -> Option<Grade> {
    let has_letters = text.chars().any(char::is_alphabetic);
    (has_letters && text.len() <= 4096).then_some(Grade::Weak)
}
