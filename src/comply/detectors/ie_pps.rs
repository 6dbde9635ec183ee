//! Irish personal numbers (PPS).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "ie_pps",
    class: "pii.id.national",
    about: "Irish personal numbers (PPS): seven digits, a letter of their remainder by 23, and perhaps another.",
    looks: &[Looks::Word { lengths: &[8, 9], alone: true, check }],
    words: &["pps", "ppsn", "pps number", "personal public"],
    null_rate: 0.043,
    shows: Shows::Number,
    finds: &["6433435F", "6433435OA"],
    finds_if_named: &[],
    passes: &["6433435E", "643343F", "6433435OB"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let (front, letters) = site.word().split_at_checked(7)?;
    let digits: [u8; 7] = sums::digits(front)?;
    let sum: u32 = digits.iter().zip([8, 7, 6, 5, 4, 3, 2]).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    let (letter, more) = match letters {
        [letter] => (letter, 0),
        [letter, b'W' | b'T' | b'X'] => (letter, 0),
        [letter, second @ b'A'..=b'I'] => (letter, u32::from(second - b'A' + 1) * 9),
        _ => return None,
    };
    let holds = b"WABCDEFGHIJKLMNOPQRSTUV"[((sum + more) % 23) as usize] == *letter;
    holds.then(|| site.found(Grade::Likely))?
}
