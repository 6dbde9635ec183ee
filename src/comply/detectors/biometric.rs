//! Biometric data.

use super::{Detector, Grade, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "biometric",
    class: "special.biometric",
    about: "Biometric data: by the name of the field alone.",
    looks: &[Looks::Whole(check)],
    words: &["biometric", "biometrics", "fingerprint scan", "face template", "fingerabdruck", "voiceprint"],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[],
    finds_if_named: &["Rk1SACAyMAAAAAFc"],
    passes: &["1", "-"],
};

fn check(text: &str) -> Option<Grade> {
    let has_letters = text.chars().any(char::is_alphabetic);
    (has_letters && text.len() <= 4096).then_some(Grade::Weak)
}
