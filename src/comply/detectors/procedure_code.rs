//! Procedures in CPT and HCPCS.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};

pub(super) static DETECTOR: Detector = Detector {
    name: "procedure_code",
    class: "phi.procedure",
    about: "Procedures in CPT and HCPCS: five digits, or a letter and four. Which codes exist is not asked: the lists are licensed.",
    looks: &[
        Looks::Word { lengths: &[5], alone: false, check: word },
        Looks::Digits { layouts: &[Layout::weak("5")], check: digits },
    ],
    words: &["cpt", "hcpcs", "procedure code", "procedure", "cpt code"],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["CPT 99213"],
    finds_if_named: &["99213", "J1885"],
    passes: &["9921", "W1234", "J18855"],
};

fn word(site: &Site<'_>) -> Option<Found> {
    let (kind, rest) = site.word().split_first()?;
    let hcpcs = matches!(kind, b'A'..=b'V') && rest.iter().all(u8::is_ascii_digit);
    // The second and third categories of CPT end in a letter.
    let (last, front) = site.word().split_last()?;
    let cpt = matches!(last, b'F' | b'T' | b'U' | b'M') && front.iter().all(u8::is_ascii_digit);
    (hcpcs || cpt).then(|| site.found(Grade::Weak))?
}

fn digits(_: &Digits<'_>) -> Option<Grade> {
    Some(Grade::Weak)
}
