//! Card expiry dates.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "card_expiry",
    class: "pci.expiry",
    about: "Card expiry dates: month and year that a name says are one, or that stand beside a card.",
    looks: &[Looks::Digits {
        layouts: &[
            Layout::weak("2/2"),
            Layout::weak("2/4"),
            Layout::weak("2-2"),
            Layout::weak("2-4"),
            Layout::weak("4-2"),
            Layout::weak("4/2"),
            Layout::weak("4"),
        ],
        check,
    }],
    words: &[
        "expiry",
        "expiration",
        "exp",
        "exp date",
        "expdate",
        "valid thru",
        "valid to",
        "good thru",
        "ablaufdatum",
        "expiration date",
        "caducidad",
        "expires",
    ],
    null_rate: 1.0,
    shows: Shows::Form,
    finds: &["expiry 12/27", "exp: 05/2029"],
    finds_if_named: &["12/27", "1227", "2027-12"],
    passes: &["13/27", "00/27", "12/1999", "1327"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let (first, second) = (digits.number(0, 2), digits.number(2, 2));
    let holds = match (digits.len(), digits.grouped) {
        (4, _) => is_month(first) && (20..60).contains(&second),
        (6, _) if first == 20 => is_month(digits.number(4, 2)),
        _ => is_month(first) && (2020..2060).contains(&digits.number(2, 4)),
    };
    holds.then_some(Grade::Weak)
}

fn is_month(month: u32) -> bool {
    (1..=12).contains(&month)
}
