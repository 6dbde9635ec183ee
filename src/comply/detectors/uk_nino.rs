//! UK national insurance numbers.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::is_word;

pub(super) static DETECTOR: Detector = Detector {
    name: "uk_nino",
    class: "pii.id.national",
    about: "UK national insurance numbers: two letters of a prefix that is given out, six digits, A to D.",
    looks: &[
        Looks::Word { lengths: &[9, 8], alone: true, check: plain },
        Looks::Capitals { lengths: &[2], alone: true, check: spaced },
    ],
    words: &["nino", "national insurance", "ni number", "insurance number"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["AB123456C", "AB 12 34 56 C"],
    finds_if_named: &[],
    passes: &["BG123456C", "AB123456E", "DA123456A", "AO123456A", "AB12345C", "AB 12 34 5 C"],
};

fn plain(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    let (letters, digits) = word.split_at_checked(2)?;
    let form = digits.get(..6)?.iter().all(u8::is_ascii_digit) && is_prefix(letters);
    match digits.get(6) {
        Some(b'A'..=b'D') if form => site.found(Grade::Likely),
        _ => None,
    }
}

fn spaced(site: &Site<'_>) -> Option<Found> {
    six(site).or_else(|| twos(site))
}

/// `AB 123456 C`.
fn six(site: &Site<'_>) -> Option<Found> {
    let end = site.start + 11;
    let whole = site.text.get(site.start..end)?;
    let form = whole[3..9].iter().all(u8::is_ascii_digit) && whole[2] == b' ' && whole[9] == b' ';
    let holds = form && matches!(whole[10], b'A'..=b'D') && is_prefix(&whole[..2]);
    (holds && !is_word(site.text, end)).then_some(Found { start: site.start, end, grade: Grade::Strong })
}

/// `AB 12 34 56 C`.
fn twos(site: &Site<'_>) -> Option<Found> {
    let end = site.start + 13;
    let whole = site.text.get(site.start..end)?;
    let digits = [3, 4, 6, 7, 9, 10].iter().all(|at| whole[*at].is_ascii_digit());
    let spaces = [2, 5, 8, 11].iter().all(|at| whole[*at] == whole[2]) && matches!(whole[2], b' ' | b'-');
    let form = digits && spaces && matches!(whole[12], b'A'..=b'D') && is_prefix(&whole[..2]);
    (form && !is_word(site.text, end)).then_some(Found { start: site.start, end, grade: Grade::Strong })
}

fn is_prefix(letters: &[u8]) -> bool {
    let [first, second] = letters else { return false };
    let given_out = !matches!(letters, b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ");
    let letter = |byte: &u8| byte.is_ascii_uppercase() && !b"DFIQUV".contains(byte);
    letter(first) && letter(second) && *second != b'O' && given_out
}
