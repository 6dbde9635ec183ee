//! The first look at a text. Most texts of records are words and nothing else: no detector has anything to begin
//! at in them, and a pass over them would find nothing.

use super::decode::may_fold;
use super::pass::TOKEN;

/// So many capitals in a row may be a code by themselves (a BIC has eight).
const CAPITALS: u32 = 8;

/// What a byte is to the first look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Something may begin here, or be hidden here.
    Stop,
    /// Between words.
    Between,
    /// After a word it ends a sentence, or parts a token.
    Dot,
    /// Of a word.
    Letter,
    Capital,
}

static KINDS: [Kind; 256] = table();

const fn table() -> [Kind; 256] {
    let mut table = [Kind::Stop; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'_' => Kind::Letter,
            b'A'..=b'Z' => Kind::Capital,
            b' ' | b',' | b'\'' | b'!' | b'?' | b'"' | b')' | b'[' | b']' | b'\t' | b'\r' | b'\n' => Kind::Between,
            b'.' => Kind::Dot,
            // Letters beyond ASCII, but for those that may stand for a digit or a space.
            lead @ 0x80.. if !may_fold(lead) => Kind::Letter,
            _ => Kind::Stop,
        };
        byte += 1;
    }
    table
}

/// Texts are read eight bytes at a time, as one number: the first byte is the lowest.
const TOGETHER: usize = 8;
const HIGH: u64 = spread(0x80);

/// Eight times the same byte.
const fn spread(byte: u8) -> u64 {
    u64::from_le_bytes([byte; TOGETHER])
}

/// The high bit of each of eight bytes that is a small letter; they are all of ASCII.
const fn small_letters(bytes: u64) -> u64 {
    let from_a = bytes + spread(0x80 - b'a');
    let beyond_z = bytes + spread(0x7F - b'z');
    from_a & !beyond_z & HIGH
}

/// How many of eight bytes stand before the first that is marked by its high bit.
const fn before(marked: u64) -> u32 {
    marked.trailing_zeros() / 8
}

/// How many of eight bytes stand behind the last that is marked by its high bit.
const fn behind(marked: u64) -> u32 {
    marked.leading_zeros() / 8
}

/// How far a text was read as words alone.
#[derive(Clone, Copy, Default)]
struct Read {
    /// The letters of the word so far.
    word: u32,
    /// The capitals in a row so far.
    capitals: u32,
    after_dot: bool,
}

impl Read {
    /// Reads on over letters and spaces; `None` if there is anything else among them.
    #[inline]
    fn over_words(self, bytes: u64) -> Option<Self> {
        let small = small_letters(bytes & !HIGH);
        let letters = small_letters((bytes & !HIGH) | spread(0x20));
        // A difference of seven bits is no more than that: adding the same again reaches the high bit.
        let spaces = !((bytes & !HIGH ^ spread(b' ')) + spread(0x7F)) & HIGH;
        if bytes & HIGH != 0 || letters | spaces != HIGH {
            return None;
        }
        let others = HIGH & !(letters & !small);
        let is_one_word = spaces == 0;
        let longest = (self.word + before(spaces)).max(u32::from(self.after_dot) * before(spaces) * TOKEN as u32);
        let next = Self {
            word: if is_one_word { self.word + TOGETHER as u32 } else { behind(spaces) },
            capitals: behind(others),
            after_dot: false,
        };
        let is_plain = longest < TOKEN as u32 && self.capitals + before(others) < CAPITALS;
        is_plain.then_some(next)
    }

    /// Reads on byte by byte; `None` if something may begin here.
    #[inline]
    fn over(mut self, bytes: &[u8]) -> Option<Self> {
        for byte in bytes {
            let kind = KINDS[usize::from(*byte)];
            match kind {
                Kind::Stop => return None,
                Kind::Between | Kind::Dot => (self.word, self.capitals) = (0, 0),
                Kind::Letter => (self.word, self.capitals) = (self.word + 1, 0),
                Kind::Capital => (self.word, self.capitals) = (self.word + 1, self.capitals + 1),
            }
            if self.word == TOKEN as u32 || self.capitals == CAPITALS || self.after_dot && self.word > 0 {
                return None;
            }
            self.after_dot = kind == Kind::Dot;
        }
        Some(self)
    }
}

/// Whether a text holds words alone, none of them long enough for a token: only the name of its field can
/// make anything of it.
#[inline]
pub(super) fn is_plain(text: &[u8]) -> bool {
    let mut read = Read::default();
    let (chunks, rest) = text.as_chunks::<TOGETHER>();
    for chunk in chunks {
        match read.over_words(u64::from_le_bytes(*chunk)).or_else(|| read.over(chunk)) {
            Some(next) => read = next,
            None => return false,
        }
    }
    if rest.is_empty() {
        return true;
    }
    // Spaces at the end change nothing.
    let last = match text.last_chunk::<TOGETHER>() {
        Some(last) => {
            let (bits, all) = (8 * rest.len() as u32, u64::BITS);
            u64::from_le_bytes(*last) >> (all - bits) | spread(b' ') << bits
        }
        None => rest.iter().rev().fold(spread(b' '), |all, byte| all << 8 | u64::from(*byte)),
    };
    read.over_words(last).is_some() || read.over(rest).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::comply::detect::{Context, Scanner, Selection};

    #[test]
    fn only_words_are_plain() {
        let check = |text: &str, expected: bool| assert_eq!(is_plain(text.as_bytes()), expected, "{text}");
        for text in ["", "Yara Tanaka", "Kraków, São Paulo.", "a_b (no", "It ended. Then more"] {
            check(text, !text.contains('('));
        }
        for text in
            ["a1", "a@b", "SG.abc", "DEUTDEFF", "a/b", "it's password=", "abcdefghijklmno", "é\u{200B}", "x\u{FF11}"]
        {
            check(text, false);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(512), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn eight_bytes_at_once_are_read_as_one_by_one(text in "([a-z]{0,16}|[A-Z]{0,9}|[a-zA-Z]{1,9}|[ .,!@`{\\[_é1]){0,12}") {
            prop_assert_eq!(is_plain(text.as_bytes()), Read::default().over(text.as_bytes()).is_some(), "{}", text);
        }

        /// What is plain holds nothing for a pass either: the first look changes no answer.
        #[test]
        fn a_pass_over_what_is_plain_finds_nothing(text in "([A-Za-zéü_]{1,14}|eyJ|SG|sk_live_|[A-Z]{2,8}|BIC|cvv|pin|token)([ ,.!?'\"]{1,2}([A-Za-zé_]{1,14}|DEUTDEFF|password)){0,6}[.]?") {
            if is_plain(text.as_bytes()) {
                let mut scanner = Scanner::new(&Selection::all());
                for context in [Context::none(), Context::of_field("bic"), Context::of_field("iban"), Context::of_field("ssn")] {
                    let mut found = Vec::new();
                    scanner.pass(&text, &context, &mut found);
                    prop_assert!(found.is_empty(), "{text}: {found:?}");
                }
            }
        }
    }
}
