//! Political opinions.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "political_opinion",
    class: "special.politics",
    about: "Political opinions: by the name of the field alone, in eight languages.",
    looks: &[Looks::Whole(check)],
    words: &["political party", "party membership", "political", "parteimitgliedschaft", "partido político"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["Green"],
    passes: &["1", "-"],
};

fn check(text: &str) -> Option<Grade> {
    let has_letters = text.chars().any(char::is_alphabetic);
    (has_letters && text.len() <= 4096).then_some(Grade::Weak)
}
