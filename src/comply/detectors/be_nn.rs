//! Belgian national numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "be_nn",
    class: "pii.id.national",
    about: "Belgian national numbers: date of birth, a count, and 97 less the remainder; from 2000 on with a 2 before it.",
    looks: &[Looks::Digits {
        layouts: &[
            Layout::alone("2.2.2-3.2"),
            Layout::alone("2.2.2.3-2"),
            Layout::alone("6-3-2"),
            Layout::weak("11"),
            Layout::weak("6_3_2"),
        ],
        check,
    }],
    words: &[
        "rijksregisternummer",
        "rijksregister",
        "registre national",
        "numéro national",
        "national number",
        "nn",
        "insz",
        "niss",
    ],
    null_rate: 0.0026,
    shows: Shows::Number,
    finds: &["85.07.30-033.28"],
    finds_if_named: &["85073003328"],
    passes: &["85.07.30-033.29", "85.13.30-033.28"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let nine = sums::remainder(digits.get(..9)?, 97);
    let key = u64::from(digits.number(9, 2));
    // 2_000_000_000 leaves 2_000_000_000 % 97 more.
    let holds = key == 97 - nine || key == 97 - (nine + 2_000_000_000 % 97) % 97;
    // Months from 21 and 41 on: numbers of those who are not residents. Nought: the day is not known.
    let form = matches!(digits.number(2, 2), 0..=12 | 20..=32 | 40..=52) && digits.number(4, 2) <= 31;
    (holds && form).then_some(if digits.grouped { Grade::Strong } else { Grade::Possible })
}
