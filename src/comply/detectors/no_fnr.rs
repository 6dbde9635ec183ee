//! Norwegian birth numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::is_short_date;

pub(super) static DETECTOR: Detector = Detector {
    name: "no_fnr",
    class: "pii.id.national",
    about: "Norwegian birth numbers: date of birth (40 more days where it was assigned), a count, two check digits modulo 11.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("11"), Layout::weak("6_5")], check }],
    words: &["fødselsnummer", "fodselsnummer", "fnr", "personnummer"],
    null_rate: 0.0006,
    shows: Shows::Number,
    finds: &["fnr 15108695088"],
    finds_if_named: &["15108695088"],
    passes: &["15108695089", "15138695088"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let first = (11 - digits.weighted(&[3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11;
    let second = (11 - digits.weighted(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    let day = digits.number(0, 2);
    let day = if day > 40 { day - 40 } else { day };
    let dated = is_short_date(digits.number(4, 2), digits.number(2, 2), day);
    let holds = first == u32::from(digits[9]) && second == u32::from(digits[10]);
    // Which counts were given out in which years.
    let (year, count) = (digits.number(4, 2), digits.number(6, 3));
    let century = match count {
        0..=499 => true,
        500..=749 => !(40..54).contains(&year),
        _ => year < 40 || count >= 900,
    };
    (dated && century && holds).then_some(Grade::Possible)
}
