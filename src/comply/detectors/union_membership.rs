//! Membership of trade unions.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "union_membership",
    class: "special.union",
    about: "Membership of trade unions: by the name of the field alone, in eight languages.",
    looks: &[Looks::Whole(check)],
    words: &["trade union", "union member", "gewerkschaft", "syndicat", "sindicato", "vakbond"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["yes"],
    passes: &["1", "-"],
};

fn check(text: &str) -> Option<Grade> {
    let has_letters = text.chars().any(char::is_alphabetic);
    (has_letters && text.len() <= 4096).then_some(Grade::Weak)
}
