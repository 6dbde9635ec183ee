//! What each byte can be part of: the table that the one pass over a text reads.

/// A digit.
pub(super) const DIGIT: u8 = 1;
/// A capital letter of ASCII.
pub(super) const UPPER: u8 = 2;
/// A small letter of ASCII.
pub(super) const LOWER: u8 = 4;
/// The low line: part of names and of tokens.
pub(super) const LINE: u8 = 8;
/// A byte of a character beyond ASCII: taken for a letter.
pub(super) const HIGH: u8 = 16;
/// A byte that something can begin at.
pub(super) const MARK: u8 = 32;
/// Whatever words are made of.
pub(super) const WORD: u8 = DIGIT | UPPER | LOWER | LINE | HIGH;

/// The class of every byte.
pub(super) static CLASS: [u8; 256] = table();

const fn table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b'_' => LINE,
            b'@' | b'+' | b'(' | b':' | b'=' | b'%' | b'&' | b'\\' | b';' | b'-' | b'<' => MARK,
            0x80.. => HIGH,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// The class of the byte at a place, 0 beyond the ends.
pub(in crate::comply) fn class_at(text: &[u8], at: usize) -> u8 {
    text.get(at).map_or(0, |byte| CLASS[usize::from(*byte)])
}

/// Whether the byte at a place belongs to a word; beyond the ends none does.
pub(in crate::comply) fn is_word(text: &[u8], at: usize) -> bool {
    class_at(text, at) & WORD != 0
}

/// Whether the byte at a place is a digit.
pub(in crate::comply) fn is_digit(text: &[u8], at: usize) -> bool {
    class_at(text, at) == DIGIT
}

/// Whether the byte at a place is a letter of ASCII or a digit.
pub(in crate::comply) fn is_alphanumeric(text: &[u8], at: usize) -> bool {
    class_at(text, at) & (DIGIT | UPPER | LOWER) != 0
}

/// The first place at or after `from` whose byte does not hold the rule.
pub(in crate::comply) fn skip(text: &[u8], from: usize, holds: impl Fn(u8) -> bool) -> usize {
    let mut at = from;
    while at < text.len() && holds(text[at]) {
        at += 1;
    }
    at
}
