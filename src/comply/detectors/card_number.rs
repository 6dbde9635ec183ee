//! Card numbers.

use super::test_card;
use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::sums;
use crate::expr::functions::checks;

pub(super) static DETECTOR: Detector = Detector {
    name: "card_number",
    class: "pci.pan",
    about: "Card numbers: 12 to 19 digits in a range that is given out to issuers, of the length of its brand, that hold by Luhn (ISO/IEC 7812-1). Ranges as Braintree's credit-card-type lists them, and those of regional brands.",
    looks: &[Looks::Digits {
        layouts: &[
            Layout::alone("12"),
            Layout::alone("13"),
            Layout::alone("14"),
            Layout::alone("15"),
            Layout::alone("16"),
            Layout::alone("17"),
            Layout::alone("18"),
            Layout::alone("19"),
            Layout::alone("4*4*4*4"),
            Layout::alone("4_6_5"),
            Layout::alone("4_6_4"),
            Layout::alone("4*4*4*4*3"),
            Layout::alone("4_4_4_4_2"),
            Layout::alone("4_4_4_4_1"),
            Layout::alone("6_13"),
            Layout::alone("8_8"),
            Layout::alone("4_4_4_3"),
            Layout::alone("4_4_4_2"),
            Layout::alone("4_4_4"),
            Layout::alone("4_4_5"),
            Layout::alone("6_6"),
        ],
        check,
    }],
    words: &[
        "card",
        "card number",
        "cardnumber",
        "credit card",
        "creditcard",
        "debit card",
        "cc number",
        "ccnum",
        "pan",
        "card no",
        "visa",
        "mastercard",
        "amex",
        "kreditkarte",
        "kartennummer",
        "carte",
        "tarjeta",
        "karte",
    ],
    null_rate: 0.027,
    shows: Shows::Number,
    finds: &[
        "4539 1488 0343 6467",
        "paid with 4716-6101-5294-3000, thanks",
        "2221001234567896",
        "374245455400126",
        "36148900647913",
    ],
    finds_if_named: &["5012345678908", "6900000000000008"],
    passes: &[
        "4539148803436468",
        "1234567812345670",
        "0000000000000000",
        "4539-1488 0343-6467",
        "99945391488034364679",
        "8a4539148803436467",
        "4.539148803436467",
    ],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    // The first two digits reject half, the sum most of the others.
    let begins = matches!(digits[0] * 10 + digits[1], 10..=27 | 30..=69 | 81 | 82 | 86 | 97 | 98);
    if !begins || !sums::luhn(digits) || digits.is_uniform() || test_card::is_test(digits) {
        return None;
    }
    issuer(digits, digits.len()).map(|grade| match grade {
        // Who writes groups of four means a card.
        Grade::Likely if digits.grouped => Grade::Strong,
        // Numbers of goods have these lengths, and a check digit of their own: nine in ten cards do not hold it.
        Grade::Likely if matches!(digits.len(), 12..=14) && is_of_goods(digits) => Grade::Possible,
        other => other,
    })
}

fn is_of_goods(digits: &[u8]) -> bool {
    digits.split_last().is_some_and(|(last, others)| checks::gs1_digit(others) == *last)
}

/// What the first digits and the length say. Brands of few ranges are surer than those of whole digits.
pub(super) fn issuer(digits: &Digits<'_>, length: usize) -> Option<Grade> {
    let six = digits.number(0, 6);
    let (four, three, two) = (six / 100, six / 1000, six / 10_000);
    let grade = match (two, length) {
        // Visa; thirteen digits are no longer given out.
        (40..=49, 13 | 16 | 18 | 19) => Grade::Likely,
        // Mastercard.
        (51..=55, 16) => Grade::Likely,
        (22..=27, 16) if (2221..=2720).contains(&four) => Grade::Likely,
        // Mir, Borica.
        (22, 16..=19) if (2200..=2205).contains(&four) => Grade::Likely,
        // American Express.
        (34 | 37, 15) => Grade::Strong,
        // Diners Club.
        (30, 14 | 16..=19) if three <= 305 || four == 3095 => Grade::Likely,
        (36 | 38 | 39, 14 | 16 | 19) => Grade::Likely,
        // JCB, and its first fifteen digits.
        (35, 16..=19) if (3528..=3589).contains(&four) => Grade::Likely,
        (18 | 21, 15) if matches!(four, 1800 | 2131) => Grade::Strong,
        // enRoute, Voyager.
        (20 | 21, 15) if matches!(four, 2014 | 2149) => Grade::Likely,
        (86, 15) if four == 8699 => Grade::Likely,
        // UATP; many numbers of fifteen digits begin so.
        (10..=19, 15) => Grade::Possible,
        // Troy, UzCard, Humo.
        (97, 16) if four == 9792 => Grade::Likely,
        (86 | 98, 16) if matches!(four, 8600 | 9860) => Grade::Likely,
        // UnionPay and RuPay beside it.
        (62 | 81, 14..=15) => Grade::Possible,
        (62 | 81, 16..=19) => Grade::Likely,
        (82, 16) => Grade::Possible,
        _ => return maestro_and_discover(six, length),
    };
    Some(grade)
}

fn maestro_and_discover(six: u32, length: usize) -> Option<Grade> {
    let (four, three, two) = (six / 100, six / 1000, six / 10_000);
    let grade = match (four, length) {
        (6011 | 6440..=6599, 16..=19) => Grade::Likely,
        // Maestro, Dankort, Laser, Switch, Solo by the ranges that were in use.
        (5018 | 5019 | 5020 | 5038 | 5612 | 5893 | 6304 | 6706 | 6709 | 6759 | 6761..=6763 | 6767 | 6771, 12..=19) => {
            Grade::Likely
        }
        (6333 | 6334 | 4903 | 4905 | 4911 | 4936, 16 | 18 | 19) => Grade::Likely,
        _ => match (six, length) {
            // Elo, Verve, Hiper, Hipercard, RuPay.
            (504_175 | 506_699..=506_778 | 509_000..=509_999 | 627_780 | 636_297 | 636_368, 16) => Grade::Likely,
            (506_099..=506_198 | 507_865..=507_964, 16 | 18 | 19) => Grade::Likely,
            (606_282 | 637_095 | 637_568 | 637_599 | 637_609 | 637_612, 13 | 16 | 19) => Grade::Likely,
            (606_985..=607_984 | 608_001..=608_500 | 508_500..=508_999 | 817_200..=820_199, 16) => Grade::Likely,
            (564_182 | 633_110, 16 | 18 | 19) => Grade::Likely,
            // InterPayment, InstaPayment.
            _ if three == 636 && (16..=19).contains(&length) => Grade::Likely,
            _ if (637..=639).contains(&three) && length == 16 => Grade::Likely,
            _ if matches!(two, 56..=58 | 67) && (12..=19).contains(&length) => Grade::Likely,
            // Whatever else begins like Maestro: much does.
            _ if matches!(two, 50 | 56..=69) && (12..=19).contains(&length) => Grade::Possible,
            _ => return None,
        },
    };
    Some(grade)
}
