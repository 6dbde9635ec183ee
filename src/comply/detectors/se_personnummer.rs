//! Swedish personal numbers.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};
use crate::comply::detect::calendar::is_short_date;
use crate::comply::detect::{is_word, sums};

pub(super) static DETECTOR: Detector = Detector {
    name: "se_personnummer",
    class: "pii.id.national",
    about: "Swedish personal numbers: date of birth (60 more days where it was assigned), a count, Luhn over the last ten digits.",
    looks: &[
        Looks::Digits {
            layouts: &[Layout::alone("6-4"), Layout::alone("8-4"), Layout::weak("10"), Layout::weak("12")],
            check,
        },
        Looks::Lead { lengths: &[6, 8], check: hundred },
    ],
    words: &["personnummer", "samordningsnummer", "person number", "pnr"],
    null_rate: 0.0071,
    shows: Shows::Number,
    finds: &["811228-9874", "19811228-9874", "670919+9530"],
    finds_if_named: &["8112289874"],
    passes: &["811228-9873", "811328-9874"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let short = digits.get(digits.len().checked_sub(10)?..)?;
    let whole_year = digits.len() == 12 && !matches!(digits.number(0, 2), 18..=20);
    (is_number(short) && !whole_year).then_some(if digits.grouped { Grade::Strong } else { Grade::Possible })
}

/// With a plus: over a hundred years old.
fn hundred(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let end = site.end + 5;
    let tail = text.get(site.end + 1..end).filter(|_| text[site.end] == b'+' && !is_word(text, end))?;
    let mut held = [0; 10];
    held[..6].copy_from_slice(&text[site.end - 6..site.end]);
    held[6..].copy_from_slice(tail);
    let digits: [u8; 10] = sums::digits(&held)?;
    is_number(&digits).then_some(Found { start: site.start, end, grade: Grade::Strong })
}

fn is_number(digits: &[u8]) -> bool {
    let two = |at: usize| u32::from(digits[at]) * 10 + u32::from(digits[at + 1]);
    let day = if two(4) > 60 { two(4) - 60 } else { two(4) };
    is_short_date(two(0), two(2), day) && sums::luhn(digits)
}
