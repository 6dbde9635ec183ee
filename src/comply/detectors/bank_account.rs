//! Bank account numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "bank_account",
    class: "financial.account",
    about: "Bank account numbers: eight to seventeen digits that a name says are one.",
    looks: &[Looks::Digits {
        layouts: &[
            Layout::weak("8"),
            Layout::weak("9"),
            Layout::weak("10"),
            Layout::weak("11"),
            Layout::weak("12"),
            Layout::weak("13"),
            Layout::weak("14"),
            Layout::weak("15"),
            Layout::weak("16"),
            Layout::weak("17"),
        ],
        check,
    }],
    words: &[
        "bank account",
        "account number",
        "account no",
        "acct number",
        "acct no",
        "acct",
        "bankaccount",
        "kontonummer",
        "konto",
        "numero compte",
        "numero cuenta",
        "cuenta bancaria",
        "account",
    ],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["account number: 000123456789"],
    finds_if_named: &["000123456789", "12345678"],
    passes: &["1234567", "00000000"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    (!digits.is_uniform()).then_some(Grade::Weak)
}
