//! Indian Aadhaar numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "in_aadhaar",
    class: "pii.id.national",
    about: "Indian Aadhaar numbers: twelve digits from 2 on, no palindrome, the check digit of Verhoeff.",
    looks: &[Looks::Digits { layouts: &[Layout::alone("4_4_4"), Layout::weak("12")], check }],
    words: &["aadhaar", "aadhar", "uid", "uidai"],
    null_rate: 0.08,
    shows: Shows::Number,
    finds: &["2341 2341 2346", "aadhaar 234123412346"],
    finds_if_named: &["234123412346"],
    passes: &["2341 2341 2347", "1341 2341 2346"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let is_mirrored = digits.iter().eq(digits.iter().rev());
    let holds = digits[0] >= 2 && !is_mirrored && verhoeff(digits);
    holds.then_some(if digits.grouped { Grade::Likely } else { Grade::Possible })
}

/// J. Verhoeff, Error Detecting Decimal Codes (1969): products in the group of the pentagon, each place turned
/// once more by a permutation.
fn verhoeff(digits: &[u8]) -> bool {
    const TURN: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut check = 0;
    for (place, digit) in digits.iter().rev().enumerate() {
        let turned = (0..place % 8).fold(*digit, |value, _| TURN[usize::from(value)]);
        check = product(check, turned);
    }
    check == 0
}

/// Turning a pentagon by fifths, and over from 5 on.
fn product(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}
