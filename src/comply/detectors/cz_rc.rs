//! Czech and Slovak birth numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::calendar::is_day;
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "cz_rc",
    class: "pii.id.national",
    about: "Czech and Slovak birth numbers: date of birth (50 more months for women), a count, the remainder by 11.",
    looks: &[Looks::Digits {
        layouts: &[Layout::alone("6/4"), Layout::weak("6/3"), Layout::weak("10"), Layout::weak("9")],
        check,
    }],
    words: &["rodné číslo", "rodne cislo", "rodné", "birth number", "rc"],
    null_rate: 0.011,
    shows: Shows::Number,
    finds: &["710319/2745"],
    finds_if_named: &["7103192745"],
    passes: &["710319/2746", "711319/2745"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let (year, month, day) = (digits.number(0, 2), digits.number(2, 2), digits.number(4, 2));
    // Women 50 more; where a day's numbers ran out, 20 more.
    let month = month % 50;
    let month = if month > 20 { month - 20 } else { month };
    if digits.len() == 9 {
        // Until 1953, without a check digit.
        return (year < 54 && is_day(1900 + year, month, day)).then_some(Grade::Weak);
    }
    let dated = if year < 54 { is_day(2000 + year, month, day) } else { is_day(1900 + year, month, day) };
    let last = sums::remainder(digits.get(..9)?, 11) % 10;
    (dated && last == u64::from(digits[9])).then_some(if digits.grouped { Grade::Strong } else { Grade::Possible })
}
