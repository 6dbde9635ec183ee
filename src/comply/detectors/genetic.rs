//! Genetic data.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "genetic",
    class: "special.genetic",
    about: "Genetic data: by the name of the field alone.",
    looks: &[Looks::Whole(check)],
    words: &["genetic", "genotype", "genome", "dna", "adn"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["rs53576 AG"],
    passes: &["1", "-"],
};

fn check(text: &str) -> Option<Grade> {
    let has_letters = text.chars().any(char::is_alphabetic);
    (has_letters && text.len() <= 4096).then_some(Grade::Weak)
}
