//! Diagnoses in ICD-10-CM.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::{is_alphanumeric, is_word, skip};

pub(super) static DETECTOR: Detector = Detector {
    name: "icd10",
    class: "phi.diagnosis",
    about: "Diagnoses in ICD-10-CM: a letter, two places, and up to four more behind a point. Which codes exist is not asked.",
    looks: &[Looks::Word { lengths: &[3, 4, 5, 6, 7], alone: false, check }],
    words: &["icd", "icd10", "diagnosis", "diagnoses", "diagnosis code", "dx", "diagnose", "diagnostic", "diagnostico"],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["dx E11.9", "diagnosis: S72.001A"],
    finds_if_named: &["E11.9", "E119"],
    passes: &["E1", "1E1.9", "U", "E11.99999"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    let [letter, first, second, rest @ ..] = word else { return None };
    let head = letter.is_ascii_uppercase()
        && first.is_ascii_digit()
        && (second.is_ascii_digit() || matches!(second, b'A' | b'B'));
    let is_place = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let end = match (rest.is_empty(), site.text.get(site.end)) {
        (true, Some(b'.')) if is_alphanumeric(site.text, site.end + 1) => {
            let end = skip(site.text, site.end + 1, is_place);
            if is_word(site.text, end) || end - site.end > 5 {
                return None;
            }
            end
        }
        _ if rest.iter().copied().all(is_place) => site.end,
        _ => return None,
    };
    head.then_some(Found { start: site.start, end, grade: Grade::Weak })
}
