//! French social security numbers (NIR).

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "fr_nir",
    class: "pii.id.national",
    about: "French social security numbers (NIR): sex, year and month of birth, place, and a key of 97 less the remainder.",
    looks: &[
        Looks::Digits {
            layouts: &[
                Layout::alone("15"),
                Layout::alone("1_2_2_2_3_3_2"),
                Layout::alone("13_2"),
                Layout::alone("1_2_2_2_3_3_2"),
            ],
            check,
        },
        Looks::Word { lengths: &[15], alone: true, check: corsica },
    ],
    words: &["nir", "sécurité sociale", "securite sociale", "insee", "numero securite"],
    null_rate: 0.01,
    shows: Shows::Number,
    finds: &["1 85 07 75 123 456 08", "185077512345608"],
    finds_if_named: &[],
    passes: &["185077512345609", "985077512345693", "185137512345607"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let key = 97 - sums::remainder(digits.get(..13)?, 97);
    let form = is_sex(digits[0]) && is_month(digits.number(3, 2));
    (form && key == u64::from(digits.number(13, 2))).then_some(Grade::Strong)
}

/// Births in Corsica: 2A and 2B count as 19 and 18.
fn corsica(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    let mut held = <[u8; 15]>::try_from(word).ok()?;
    let last = match word[5..7] {
        [b'2', b'A' | b'a'] => b'9',
        [b'2', b'B' | b'b'] => b'8',
        _ => return None,
    };
    (held[5], held[6]) = (b'1', last);
    let digits: [u8; 15] = sums::digits(&held)?;
    let key = 97 - sums::remainder(&digits[..13], 97);
    let form = is_sex(digits[0]) && is_month(sums::number(&held[3..5]));
    (form && key == u64::from(sums::number(&held[13..]))).then(|| site.found(Grade::Strong))?
}

fn is_sex(digit: u8) -> bool {
    matches!(digit, 1..=4 | 7 | 8)
}

/// Months, and what is written where the month is not known.
fn is_month(month: u32) -> bool {
    matches!(month, 1..=12 | 20..=42 | 50..=99)
}
