//! IBM's Log Event Extended Format 2.0: a header, then pairs parted by tabs.

use super::cef::{header, own_key};
use super::{Facts, Format, Item, Writer, grade, pairs};

pub(super) static FORMAT: Format = Format {
    name: "leef",
    about: "Log Event Extended Format 2.0 (QRadar), one line per event, pairs parted by tabs.",
    ending: "leef",
    writer: |facts: &Facts| Box::new(Lines { version: facts.version.clone() }),
};

struct Lines {
    version: String,
}

/// Our members and the keys that are known by themselves.
const KEYS: &[(&str, &str)] =
    &[("category", "cat"), ("actor", "usrName"), ("ip", "src"), ("resource", "resource"), ("outcome", "outcome")];

impl Writer for Lines {
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        let event = item.event;
        let mut line = String::from("LEEF:2.0|consign|consign");
        for field in [self.version.as_str(), &event.action, "x09"] {
            line.push('|');
            header(field, &mut line);
        }
        // `devTime` in milliseconds since 1970 needs no format beside it.
        line.push_str(&format!("|devTime={}\tsev={}", event.time.div_euclid(1_000_000), grade(event.level).cef.max(1)));
        for (name, text) in pairs(event) {
            let key = KEYS.iter().find(|(own, _)| *own == name).map_or_else(|| own_key(name), |(_, key)| (*key).into());
            line.push('\t');
            line.push_str(&key);
            line.push('=');
            // A tab would end the value, an end of line the event.
            line.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
        line.push('\n');
        out.extend_from_slice(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exported, samples};

    #[test]
    fn lines_follow_the_grammar() {
        let text = exported("leef");
        assert_eq!(text.lines().count(), samples().len());
        for (line, (event, _)) in text.lines().zip(samples()) {
            let fields: Vec<&str> = line.splitn(7, '|').collect();
            assert_eq!(&fields[..3], ["LEEF:2.0", "consign", "consign"]);
            assert_eq!((fields[4], fields[5]), (event.action.as_str(), "x09"));
            let pairs: std::collections::BTreeMap<&str, &str> = fields[6]
                .split('\t')
                .map(|pair| pair.split_once('=').unwrap_or_else(|| panic!("{pair} is no pair")))
                .collect();
            assert!(pairs.keys().all(|key| key.chars().all(|c| c.is_ascii_alphanumeric())), "{line}");
            assert!((1..=10).contains(&pairs["sev"].parse::<u8>().expect("severity")));
            assert_eq!(pairs["consignId"], event.id);
            assert_eq!(pairs.get("usrName").copied(), event.actor.as_deref());
        }
    }
}
