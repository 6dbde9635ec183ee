//! Convictions and offences.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "criminal_record",
    class: "special.criminal",
    about: "Convictions and offences: by the name of the field alone, in eight languages.",
    looks: &[Looks::Whole(check)],
    words: &["criminal record", "criminal", "conviction", "convictions", "vorstrafen", "casier", "antecedentes"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["none known"],
    passes: &["1", "-"],
};

fn check(text: &str) -> Option<Grade> {
    let has_letters = text.chars().any(char::is_alphabetic);
    (has_letters && text.len() <= 4096).then_some(Grade::Weak)
}
