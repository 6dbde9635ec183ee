//! US drug codes (NDC).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "ndc",
    class: "phi.medication",
    about: "US drug codes (NDC): ten digits in three groups, or eleven.",
    looks: &[Looks::Digits {
        layouts: &[
            Layout::weak("4-4-2"),
            Layout::weak("5-3-2"),
            Layout::weak("5-4-1"),
            Layout::weak("5-4-2"),
            Layout::weak("11"),
        ],
        check,
    }],
    words: &["ndc", "drug code", "ndc code", "national drug"],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["ndc 0777-3105-02"],
    finds_if_named: &["0777-3105-02", "00777310502"],
    passes: &["0777-3105-2", "777-3105-02"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    (!digits.is_uniform()).then_some(Grade::Weak)
}
