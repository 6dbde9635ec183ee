//! Numbers of members of a health plan.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};

pub(super) static DETECTOR: Detector = Detector {
    name: "health_plan_member",
    class: "phi.member_id",
    about: "Numbers of members of a health plan: no form is common to them, a name must say so.",
    looks: &[
        Looks::Word { lengths: &[6, 7, 8, 9, 10, 11, 12, 13, 14, 15], alone: false, check: word },
        Looks::Digits {
            layouts: &[
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
            ],
            check: digits,
        },
    ],
    words: &[
        "member id",
        "subscriber id",
        "medicaid",
        "health plan",
        "insurance id",
        "insurance number",
        "policy number",
        "versichertennummer",
        "krankenversichertennummer",
        "beneficiary id",
        "hicn",
    ],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &[],
    finds_if_named: &["XYZ123456789", "123456789012"],
    passes: &["12", "none"],
};

fn word(site: &Site<'_>) -> Option<Found> {
    let is_plain = site.word().iter().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then(|| site.found(Grade::Weak))?
}

fn digits(digits: &Digits<'_>) -> Option<Grade> {
    (!digits.is_uniform()).then_some(Grade::Weak)
}
