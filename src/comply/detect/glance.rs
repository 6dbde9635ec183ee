//! The first look at a text. Most texts of records are words and nothing else: no detector has anything to begin
//! at in them, and a pass over them would find nothing.

use super::decode::may_fold;
use super::pass::TOKEN;

/// So many capitals in a row may be a code by themselves (a BIC has eight).
const CAPITALS: u8 = 8;

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

/// Whether a text holds words alone, none of them long enough for a token: only the name of its field can
/// make anything of it.
#[inline]
pub(super) fn is_plain(text: &[u8]) -> bool {
    let (mut word, mut capitals) = (0_u8, 0_u8);
    let mut after_dot = false;
    for byte in text {
        let kind = KINDS[usize::from(*byte)];
        match kind {
            Kind::Stop => return false,
            Kind::Between | Kind::Dot => (word, capitals) = (0, 0),
            Kind::Letter => (word, capitals) = (word + 1, 0),
            Kind::Capital => (word, capitals) = (word + 1, capitals + 1),
        }
        if usize::from(word) == TOKEN || capitals == CAPITALS || after_dot && word > 0 {
            return false;
        }
        after_dot = kind == Kind::Dot;
    }
    true
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
