//! Whether a body says what the columns beside it say, found without reading the rest: the bytes as consign
//! writes them, which is where most of the time of a verification goes. A body that is spelled in any other way,
//! or says something else, is left to the JSON reader.

use super::Row;
use crate::audit::Action;
use crate::audit::event::VERSION;

/// Whether the body of the event `seq` is spelled as consign spells it and agrees with its row. `false` says
/// nothing: a member may be there twice or missing, or its details have something to say.
pub(super) fn agrees(row: &Row<'_>, body: &[u8], seq: u64) -> bool {
    // The details of an event that seals an epoch are looked at.
    row.index.action != Action::EpochSealed.word() && looked_through(row, body, seq).is_some()
}

fn looked_through(row: &Row<'_>, body: &[u8], seq: u64) -> Option<()> {
    let index = &row.index;
    let optional = |text: Option<&str>| u16::from(text.is_some());
    let wanted = 0b0_0111_1111 | (optional(index.run) << 7) | (optional(index.route) << 8);
    let mut rest = Rest { body, at: 0 };
    rest.expect(b'{')?;
    let mut seen = 0u16;
    loop {
        let name = rest.text()?;
        rest.expect(b':')?;
        let (member, fits) = match name {
            b"v" => (0, rest.whole()? <= VERSION),
            b"seq" => (1, rest.whole()? == seq),
            b"id" => (2, !rest.text()?.is_empty()),
            b"time" => (3, time(rest.text()?)? == row.ts_ns),
            b"level" => (4, rest.text()? == index.level.as_bytes()),
            b"action" => (5, rest.text()? == index.action.as_bytes()),
            b"category" => (6, rest.text()? == index.category.as_bytes()),
            b"run" => (7, Some(rest.text()?) == index.run.map(str::as_bytes)),
            b"route" => (8, Some(rest.text()?) == index.route.map(str::as_bytes)),
            _ => {
                rest.skip()?;
                (15, true)
            }
        };
        let member = (1 << member) & !(1 << 15);
        if !fits || seen & member != 0 {
            return None;
        }
        seen |= member;
        match rest.next()? {
            b',' => {}
            b'}' if rest.at == body.len() && seen == wanted => return Some(()),
            _ => return None,
        }
    }
}

/// Nanoseconds since 1970, as they are written: none before it.
fn time(text: &[u8]) -> Option<i64> {
    digits(text).and_then(|ns| i64::try_from(ns).ok())
}

/// A whole number without a sign, spelled in the one way.
fn digits(text: &[u8]) -> Option<u64> {
    let (first, more) = text.split_first()?;
    // Nineteen digits are less than 2^64.
    if (*first == b'0' && !more.is_empty()) || text.len() > 19 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// Where a text ends: the place of the next quotation mark or backslash. Eight bytes at a time, for texts are short:
/// the way to a search that is faster on long ones would take longer than the search.
fn end_of_text(text: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    // The lowest bit that is set is that of the first byte like this one; those above may be wrong.
    let like = |word: u64, byte: u8| {
        let zero = word ^ (LOW * u64::from(byte));
        zero.wrapping_sub(LOW) & !zero & (LOW << 7)
    };
    let (words, last) = text.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = like(word, b'"') | like(word, b'\\');
        if found != 0 {
            return Some(place * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = last.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(words.len() * 8 + found)
}

/// What of a body is still to be looked at.
struct Rest<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.body.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// A string without escapes.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let rest = &self.body[self.at..];
        let length = end_of_text(rest)?;
        self.at += length + 1;
        (rest[length] == b'"').then_some(&rest[..length])
    }

    /// A whole number.
    fn whole(&mut self) -> Option<u64> {
        let rest = &self.body[self.at..];
        let length = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        self.at += length;
        digits(&rest[..length])
    }

    /// Passes over a value: a string by its end, anything else by its brackets.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0u32;
        loop {
            match self.body.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    loop {
                        let rest = &self.body[self.at..];
                        let length = end_of_text(rest)?;
                        // An escape takes the byte behind it along.
                        self.at += length + if rest[length] == b'"' { 1 } else { 2 };
                        if rest[length] == b'"' {
                            break;
                        }
                        self.body.get(self.at)?;
                    }
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' if depth == 0 => return Some(()),
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Session;
    use crate::audit::event::{Draft, Stamp, id};
    use crate::audit::verify::{Body, Index};
    use proptest::prelude::*;

    const INDEX: Index<'static> = Index { level: "l", category: "c", action: "a", run: None, route: None };

    fn row(ts_ns: i64, index: Index<'_>) -> Row<'_> {
        Row { seq: 5, ts_ns, epoch: 0, body: None, leaf: &[], mac: &[], index }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(200)))]
        #[test]
        fn what_agrees_is_what_the_reader_reads(reason in proptest::option::of(".*"), route in proptest::option::of(".*"), key in ".*", ts: i64, n: i64) {
            let mut draft = Draft::new(Action::AuditNote).detail(&key, serde_json::json!({ "seq": [n, "}\"]", {}], "v": null }));
            (draft.reason, draft.route) = (reason, route);
            let body = draft.body(&Stamp { id: id(ts, [9; 16]), seq: 7, ts_ns: ts, clock_ns: ts }, &Session::default());
            let read: Body<'_> = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(&read.time, &ts.to_string());
            let index = Index { level: &read.level, category: &read.category, action: &read.action, run: read.run.as_deref(), route: read.route.as_deref() };
            let escaped = draft.route.as_ref().is_some_and(|route| route.contains(|c: char| c < ' ' || c == '"' || c == '\\'));
            prop_assert_eq!(agrees(&row(ts, index), &body, 7), ts >= 0 && !escaped);
            prop_assert!(!agrees(&row(ts, index), &body, 8));
            prop_assert!(!agrees(&row(ts ^ 1, index), &body, 7));
            for other in [
                Index { level: "debug", ..index },
                Index { category: "system", ..index },
                Index { action: "audit", ..index },
                Index { run: Some("r"), ..index },
                Index { route: if index.route.is_some() { None } else { Some("") }, ..index },
            ] {
                prop_assert!(!agrees(&row(ts, other), &body, 7));
            }
        }

        #[test]
        fn no_garbage_makes_it_panic(text in r#"(\{|\}|"|\\|:|,|v|seq|1|\[|\]|id){0,24}"#) {
            prop_assert!(!agrees(&row(6, INDEX), text.as_bytes(), 5));
        }

        #[test]
        fn a_text_ends_at_its_first_mark(text in proptest::collection::vec(proptest::prop_oneof![9 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\'), 1 => Just(b'#')], 0..40)) {
            prop_assert_eq!(end_of_text(&text), text.iter().position(|byte| matches!(byte, b'"' | b'\\')));
        }
    }

    #[test]
    fn what_is_spelled_in_another_way_is_left_to_the_reader() {
        let good =
            r#"{"action":"a","category":"c","details":{"x":["}",1]},"id":"i","level":"l","seq":5,"time":"6","v":1}"#;
        assert!(agrees(&row(6, INDEX), good.as_bytes(), 5));
        for (from, to) in [
            ("\"seq\":5", "\"seq\":05"),
            ("\"seq\":5", "\"seq\":5,\"seq\":5"),
            ("\"seq\":5", "\"seq\": 5"),
            ("\"seq\":5", "\"seq\":-5"),
            ("\"seq\":5", "\"seq\":99999999999999999999"),
            ("\"seq\":5", "\"seq\":6"),
            ("\"seq\":5,", ""),
            ("\"id\":\"i\",", ""),
            ("\"6\"", "\"06\""),
            ("\"6\"", "\"7\""),
            ("\"6\"", "\"\""),
            ("\"a\"", "\"\\u0061\""),
            ("\"a\"", "\"audit.epoch_sealed\""),
            ("\"v\":1}", "\"v\":2}"),
            ("\"v\":1}", "\"v\":1} "),
            ("\"v\":1}", "\"v\":1"),
            ("\"v\":1}", "\"v\":1}}"),
            ("\"seq\":5", "\"run\":\"r\",\"seq\":5"),
        ] {
            let other = good.replace(from, to);
            assert_ne!(other, good);
            assert!(!agrees(&row(6, INDEX), other.as_bytes(), 5), "{other}");
        }
        let seal = Index { action: "audit.epoch_sealed", ..INDEX };
        assert!(!agrees(&row(6, seal), good.replace("\"a\"", "\"audit.epoch_sealed\"").as_bytes(), 5));
    }
}
