//! Customer numbers.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};

pub(super) static DETECTOR: Detector = Detector {
    name: "customer_number",
    class: "pii.id.customer",
    about: "Customer numbers: no form is common to them, a name must say so.",
    looks: &[
        Looks::Word { lengths: &[4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], alone: false, check: word },
        Looks::Digits {
            layouts: &[
                Layout::weak("4"),
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
                Layout::weak("15"),
                Layout::weak("16"),
            ],
            check: digits,
        },
    ],
    words: &[
        "customer id",
        "customer number",
        "customer no",
        "client id",
        "kundennummer",
        "numero client",
        "numero cliente",
        "loyalty number",
        "account holder",
    ],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &[],
    finds_if_named: &["K100234", "100234"],
    passes: &["12", "-"],
};

fn word(site: &Site<'_>) -> Option<Found> {
    let is_plain = site.word().iter().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then(|| site.found(Grade::Weak))?
}

fn digits(digits: &Digits<'_>) -> Option<Grade> {
    (!digits.is_uniform()).then_some(Grade::Weak)
}
