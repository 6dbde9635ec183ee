//! What the verifier needs of a body, found without reading the rest: the bytes as consign writes them, which
//! is where most of the time of a verification goes. A body that is spelled in any other way is left to the
//! JSON reader.

use std::borrow::Cow;

use super::Body;

/// The members of a body that are looked at. `None`: it is not spelled as consign spells it, a member is there
/// twice or missing, or its details have something to say.
pub(super) fn skim(body: &[u8]) -> Option<Body<'_>> {
    let mut rest = Rest { body, at: 0 };
    rest.expect(b'{')?;
    let (mut version, mut seq) = (None, None);
    let [mut id, mut time, mut level, mut category, mut action, mut run, mut route] = [None::<&[u8]>; 7];
    loop {
        let name = rest.text()?;
        rest.expect(b':')?;
        let text = match name {
            b"id" => Some(&mut id),
            b"time" => Some(&mut time),
            b"level" => Some(&mut level),
            b"category" => Some(&mut category),
            b"action" => Some(&mut action),
            b"run" => Some(&mut run),
            b"route" => Some(&mut route),
            _ => None,
        };
        let twice = match (text, name) {
            (Some(member), _) => member.replace(rest.text()?).is_some(),
            (None, b"v") => version.replace(rest.whole()?).is_some(),
            (None, b"seq") => seq.replace(rest.whole()?).is_some(),
            _ => {
                rest.skip()?;
                false
            }
        };
        match rest.next()? {
            b',' if !twice => {}
            b'}' if !twice && rest.at == body.len() => break,
            _ => return None,
        }
    }
    let action = shown(action).ok()??;
    // The details of an event that seals an epoch are looked at.
    if action == crate::audit::Action::EpochSealed.word() {
        return None;
    }
    Some(Body {
        v: version?,
        id: shown(id).ok()??,
        seq: seq?,
        time: shown(time).ok()??,
        level: shown(level).ok()??,
        category: shown(category).ok()??,
        action,
        run: shown(run).ok()?,
        route: shown(route).ok()?,
        details: None,
    })
}

fn shown(found: Option<&[u8]>) -> Result<Option<Cow<'_, str>>, std::str::Utf8Error> {
    found.map(|bytes| std::str::from_utf8(bytes).map(Cow::Borrowed)).transpose()
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
        // Texts are short: the way to a search that is faster on long ones would take longer than the search.
        let rest = &self.body[self.at..];
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        self.at += length + 1;
        (rest[length] == b'"').then_some(&rest[..length])
    }

    /// A whole number.
    fn whole(&mut self) -> Option<u64> {
        let rest = &self.body[self.at..];
        let length = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        self.at += length;
        let digits = &rest[..length];
        if length == 0 || (digits[0] == b'0' && length > 1) {
            return None;
        }
        digits.iter().try_fold(0u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
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
                        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
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
    use crate::audit::event::{Draft, Stamp, id};
    use crate::audit::{Action, Session};
    use proptest::prelude::*;

    fn by_reader(body: &[u8]) -> Option<Body<'_>> {
        serde_json::from_slice(body).ok()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(200)))]
        #[test]
        fn what_is_skimmed_is_what_is_read(reason in proptest::option::of(".*"), route in proptest::option::of(".*"), key in ".*", ts: i64, n: i64) {
            let mut draft = Draft::new(Action::AuditNote).detail(&key, serde_json::json!({ "seq": [n, "}\"]", {}], "v": null }));
            (draft.reason, draft.route) = (reason, route);
            let body = draft.body(&Stamp { id: id(ts, [9; 16]), seq: 7, ts_ns: ts, clock_ns: ts }, &Session::default());
            if let Some(skimmed) = skim(&body) {
                let read = by_reader(&body).unwrap();
                prop_assert_eq!((skimmed.v, skimmed.seq, &skimmed.id, &skimmed.time), (read.v, read.seq, &read.id, &read.time));
                prop_assert_eq!((&skimmed.level, &skimmed.category, &skimmed.action), (&read.level, &read.category, &read.action));
                prop_assert_eq!((&skimmed.run, &skimmed.route), (&read.run, &read.route));
            } else {
                prop_assert!(draft.route.as_ref().is_some_and(|route| route.contains(|c: char| c < ' ' || c == '"' || c == '\\')));
            }
        }

        #[test]
        fn no_garbage_makes_it_panic(text in r#"(\{|\}|"|\\|:|,|v|seq|1|\[|\]|id){0,24}"#) {
            let _ = skim(text.as_bytes());
        }
    }

    #[test]
    fn what_is_spelled_in_another_way_is_left_to_the_reader() {
        let good =
            r#"{"action":"a","category":"c","details":{"x":["}",1]},"id":"i","level":"l","seq":5,"time":"6","v":1}"#;
        assert_eq!(skim(good.as_bytes()).unwrap().seq, 5);
        for (from, to) in [
            ("\"seq\":5", "\"seq\":05"),
            ("\"seq\":5", "\"seq\":5,\"seq\":5"),
            ("\"seq\":5", "\"seq\": 5"),
            ("\"seq\":5", "\"seq\":-5"),
            ("\"seq\":5", "\"seq\":99999999999999999999"),
            ("\"seq\":5,", ""),
            ("\"a\"", "\"\\u0061\""),
            ("\"a\"", "\"audit.epoch_sealed\""),
            ("\"v\":1}", "\"v\":1} "),
            ("\"v\":1}", "\"v\":1"),
            ("\"v\":1}", "\"v\":1}}"),
        ] {
            let other = good.replace(from, to);
            assert_ne!(other, good);
            assert!(skim(other.as_bytes()).is_none(), "{other}");
        }
    }
}
