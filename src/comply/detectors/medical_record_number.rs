//! Medical record numbers.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};

pub(super) static DETECTOR: Detector = Detector {
    name: "medical_record_number",
    class: "phi.mrn",
    about: "Medical record numbers: no form is common to them, a name must say so.",
    looks: &[
        Looks::Word { lengths: &[5, 6, 7, 8, 9, 10, 11, 12, 13, 14], alone: false, check: word },
        Looks::Digits {
            layouts: &[
                Layout::weak("5"),
                Layout::weak("6"),
                Layout::weak("7"),
                Layout::weak("8"),
                Layout::weak("9"),
                Layout::weak("10"),
                Layout::weak("11"),
                Layout::weak("12"),
                Layout::weak("13"),
                Layout::weak("14"),
            ],
            check: digits,
        },
    ],
    words: &[
        "mrn",
        "medical record",
        "patient id",
        "patient number",
        "chart number",
        "patientennummer",
        "patienten id",
        "numero patient",
        "historia clinica",
    ],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["MRN 482193", "patient id: P0012345"],
    finds_if_named: &["00482193", "MR482193"],
    passes: &["12", "a-b"],
};

fn word(site: &Site<'_>) -> Option<Found> {
    let is_plain = site.word().iter().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then(|| site.found(Grade::Weak))?
}

fn digits(digits: &Digits<'_>) -> Option<Grade> {
    (!digits.is_uniform()).then_some(Grade::Weak)
}
