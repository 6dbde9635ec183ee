//! US numbers of prescribers (DEA).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "us_dea",
    class: "phi.provider_id",
    about: "US numbers of prescribers (DEA): two letters and seven digits, the last a check digit (21 CFR 1301).",
    looks: &[Looks::Word { lengths: &[9], alone: true, check }],
    words: &["dea", "dea number", "prescriber"],
    null_rate: 0.1,
    shows: Shows::Number,
    finds: &["AB1234563", "DEA: BJ6125341"],
    finds_if_named: &[],
    passes: &["AB1234564", "IB1234563", "AB123456", "A11234563"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let (letters, rest) = site.word().split_at_checked(2)?;
    let digits: [u8; 7] = sums::digits(rest)?;
    // Kinds of registrants that exist, and the first letter of a name (or a 9).
    let kind = b"ABCDEFGHJKLMPRSTUX".contains(&letters[0]) && (letters[1].is_ascii_uppercase() || letters[1] == b'9');
    let odd = u32::from(digits[0] + digits[2] + digits[4]);
    let even = u32::from(digits[1] + digits[3] + digits[5]);
    (kind && (odd + 2 * even) % 10 == u32::from(digits[6])).then(|| site.found(Grade::Likely))?
}
