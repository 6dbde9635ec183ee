//! BICs (ISO 9362).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::expr::functions::checks;

pub(super) static DETECTOR: Detector = Detector {
    name: "bic",
    class: "financial.account",
    about: "BICs (ISO 9362): eight or eleven places with a country in them; a name must say so, as many words of capitals look alike.",
    looks: &[
        Looks::Capitals { lengths: &[8, 11], alone: false, check },
        Looks::Word { lengths: &[8, 11], alone: false, check },
    ],
    words: &["bic", "swift", "swift code", "bank identifier", "bankleitzahl"],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["BIC DEUTDEFF", "swift: DEUTDEFF500"],
    finds_if_named: &["DEUTDEFF", "BNPAFRPPXXX"],
    passes: &["DEUTZZFF", "DEUTDEF", "PASSWORD"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let text = std::str::from_utf8(site.word()).ok()?;
    checks::bic(text).then(|| site.found(Grade::Weak))?
}
