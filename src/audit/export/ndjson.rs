//! JSON lines: the canonical body of each event, byte for byte, so that its leaf can be computed from it. A signed
//! manifest beside the file says what it holds.

use super::super::canonical;
use super::{Facts, Format, Item, Writer};

pub(super) static FORMAT: Format = Format {
    name: "ndjson",
    about: "JSON lines, each the event as it is proved: RFC 8785 bytes, with a signed manifest beside the file.",
    ending: "ndjson",
    writer: |_: &Facts| Box::new(Lines),
};

struct Lines;

impl Writer for Lines {
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        match item.body {
            Some(body) => out.extend_from_slice(body),
            // What is left of a redacted event is told as such.
            None => canonical::write(&serde_json::to_value(item.event).unwrap_or_default(), out),
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exported, samples};

    #[test]
    fn lines_are_the_bodies() {
        let text = exported("ndjson");
        for (line, (event, body)) in text.lines().zip(samples()) {
            if !body.is_empty() {
                assert_eq!(line.as_bytes(), body);
            }
            assert_eq!(crate::audit::Event::read(line.as_bytes()).expect("event").seq, event.seq);
        }
        assert_eq!(text.lines().count(), samples().len());
    }
}
