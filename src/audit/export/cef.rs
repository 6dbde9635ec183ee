//! ArcSight's Common Event Format, revision 0: a header of seven fields, then pairs.

use super::{Facts, Format, Item, Writer, grade, pairs, sentence};

pub(super) static FORMAT: Format = Format {
    name: "cef",
    about: "Common Event Format (ArcSight and others), one line per event.",
    ending: "cef",
    writer: |facts: &Facts| Box::new(Lines { version: facts.version.clone() }),
};

struct Lines {
    version: String,
}

/// Our members, the keys of the dictionary that mean the same, and how many characters those may have. The others go
/// into pairs of their own name, and so does what is longer.
const KEYS: &[(&str, &str, usize)] = &[
    ("id", "externalId", 40),
    ("actor", "suser", 1023),
    ("host", "dvchost", 100),
    ("pid", "dvcpid", 10),
    ("outcome", "outcome", 63),
    ("reason", "reason", 1023),
    ("category", "cat", 1023),
];

impl Writer for Lines {
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let event = item.event;
        let mut line = String::from("CEF:0|consign|consign");
        for field in [self.version.as_str(), &event.action, &sentence(event), &grade(event.level).cef.to_string()] {
            line.push('|');
            header(field, &mut line);
        }
        line.push('|');
        let mut pair = |key: &str, text: &str| {
            if !line.ends_with('|') {
                line.push(' ');
            }
            line.push_str(key);
            line.push('=');
            value(text, &mut line);
        };
        pair("rt", &event.time.div_euclid(1_000_000).to_string());
        for (name, text) in pairs(event) {
            let fits = |most: usize| text.chars().nth(most).is_none();
            match KEYS.iter().find(|(own, _, most)| *own == name && fits(*most)) {
                Some((_, key, _)) => pair(key, &text),
                None if name == "ip" && text.contains(':') => {
                    pair("c6a2", &text);
                    pair("c6a2Label", "Source IPv6 Address");
                }
                None if name == "ip" => pair("src", &text),
                // Keys have no underscore: consignRoute, consignActorKind …
                None => pair(&own_key(name), &text),
            }
        }
        line.push('\n');
        out.extend_from_slice(line.as_bytes());
    }
}

/// A key of our own.
pub(super) fn own_key(name: &str) -> String {
    let mut key = String::from("consign");
    for word in name.split('_') {
        let mut letters = word.chars();
        key.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        key.push_str(letters.as_str());
    }
    key
}

/// A field of the header: `|` and `\` are escaped, lines ends are none.
pub(super) fn header(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '|' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
}

/// A value: `=` and `\` are escaped, ends of lines are `\n` and `\r`.
fn value(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '=' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exported, samples};
    use std::collections::BTreeMap;

    /// A reader after the format's own grammar: seven fields parted by bars that are not escaped, then pairs whose
    /// keys are letters and digits before an equals sign that is not escaped.
    fn read(line: &str) -> (Vec<String>, BTreeMap<String, String>) {
        let (mut fields, mut here, mut escaped, mut rest) = (Vec::new(), String::new(), false, "");
        for (at, c) in line.char_indices() {
            match c {
                _ if escaped => {
                    assert!(c == '|' || c == '\\', "{line}");
                    here.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '|' => {
                    fields.push(std::mem::take(&mut here));
                    if fields.len() == 7 {
                        rest = &line[at + 1..];
                        break;
                    }
                }
                c => here.push(c),
            }
        }
        let mut pairs = BTreeMap::new();
        let bytes = rest.as_bytes();
        let equals: Vec<usize> = (0..bytes.len())
            .filter(|at| bytes[*at] == b'=' && bytes[..*at].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 0)
            .collect();
        for (index, at) in equals.iter().enumerate() {
            let start = rest[..*at].rfind(' ').map_or(0, |blank| blank + 1);
            let key = &rest[start..*at];
            assert!(key.chars().all(|c| c.is_ascii_alphanumeric()), "{key} in {line}");
            let end = equals.get(index + 1).map_or(rest.len(), |next| rest[..*next].rfind(' ').expect("a blank"));
            let text = rest[at + 1..end].replace("\\n", "\n").replace("\\=", "=").replace("\\\\", "\\");
            assert!(pairs.insert(key.to_string(), text).is_none(), "{key} stands twice in {line}");
        }
        (fields, pairs)
    }

    #[test]
    fn lines_follow_the_grammar() {
        let text = exported("cef");
        assert_eq!(text.lines().count(), samples().len());
        for (line, (event, _)) in text.lines().zip(samples()) {
            let (fields, pairs) = read(line);
            assert_eq!((fields[0].as_str(), fields[4].as_str()), ("CEF:0", event.action.as_str()));
            assert!(fields[6].parse::<u8>().expect("severity") <= 10);
            assert_eq!(pairs["consignSeq"], event.seq.to_string());
            assert_eq!(pairs.get("suser"), event.actor.as_ref());
            assert_eq!(pairs["rt"], (event.time / 1_000_000).to_string());
        }
    }
}
