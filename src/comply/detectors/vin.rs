//! Vehicle identification numbers (ISO 3779).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::expr::functions::checks;

pub(super) static DETECTOR: Detector = Detector {
    name: "vin",
    class: "pii.vehicle",
    about: "Vehicle identification numbers (ISO 3779): 17 places without I, O and Q; the check digit of 49 CFR 565.15 holds, or a name says so.",
    looks: &[Looks::Word { lengths: &[17], alone: true, check }],
    words: &["vin", "vehicle identification", "chassis", "fahrgestellnummer", "bastidor"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["1M8GDM9AXKP042788"],
    finds_if_named: &["WVWZZZ1JZXW000001"],
    passes: &["1M8GDM9A1KP042788", "IM8GDM9AXKP042788", "1m8gdm9axkp04278o"],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    // Written in capitals, digits among them, serial digits at the end.
    let form = !word.iter().any(u8::is_ascii_lowercase) && word[13..].iter().all(u8::is_ascii_digit);
    let holds = checks::vin_digit(word)?;
    match (form, holds, word[0]) {
        (false, ..) => None,
        (_, true, _) => site.found(Grade::Likely),
        // North America requires the digit; the rest of the world does not.
        (_, false, b'1'..=b'5') => None,
        _ => site.found(Grade::Weak),
    }
}
