//! Singaporean numbers (NRIC, FIN).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "sg_nric",
    class: "pii.id.national",
    about: "Singaporean numbers (NRIC, FIN): S, T, F, G or M, seven digits, a letter of weights modulo 11.",
    looks: &[Looks::Word { lengths: &[9], alone: true, check }],
    words: &["nric", "fin", "nric number"],
    null_rate: 0.0076,
    shows: Shows::Number,
    finds: &["F1234567N"],
    finds_if_named: &[],
    passes: &["F1234567D", "A1234567N"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let [kind, digits @ .., letter] = site.word() else { return None };
    let digits: [u8; 7] = sums::digits(digits)?;
    let sum: u32 = digits.iter().zip([2, 7, 6, 5, 4, 3, 2]).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    let (more, letters) = match kind {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return None,
    };
    (letters[((sum + more) % 11) as usize] == *letter).then(|| site.found(Grade::Likely))?
}
