//! Syslog as RFC 5424 says, with what the event has as STRUCTURED-DATA. To a server over TCP or TLS each message
//! goes with its length before it (octet counting, RFC 6587 section 3.4.1 and RFC 5425 section 4.3).

use super::{Facts, Format, Item, Writer, grade, pairs, rfc3339, sentence};

pub(super) static FORMAT: Format = Format {
    name: "syslog",
    about: "Syslog (RFC 5424), one message per line; `--to tcp://HOST:PORT` or `tls://…` sends them, octet-counted.",
    ending: "log",
    writer: |_: &Facts| Box::new(Lines),
};

/// Log audit, RFC 5424 section 6.2.1.
const FACILITY: u8 = 13;

/// Names of structured data need a number of their owner; this one stands for documentation (RFC 5612), since
/// consign has none of its own.
const OWNER: &str = "consign@32473";

struct Lines;

impl Writer for Lines {
    fn event(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(message(item).as_bytes());
        out.push(b'\n');
    }
}

/// One message, without its end of line.
pub fn message(item: &Item<'_>) -> String {
    let event = item.event;
    let priority = FACILITY * 8 + grade(event.level).syslog;
    let pid = event.pid.map_or_else(|| "-".into(), |pid| pid.to_string());
    let mut line = format!(
        "<{priority}>1 {} {} consign {pid} {} [{OWNER}",
        rfc3339(event.time),
        name(event.host.as_deref().unwrap_or_default(), 255),
        name(&event.action, 32)
    );
    for (key, text) in pairs(event) {
        line.push(' ');
        line.push_str(key);
        line.push_str("=\"");
        for c in text.chars() {
            match c {
                '"' | '\\' | ']' => line.extend(['\\', c]),
                // Allowed in a value, and yet the end of a message for whoever reads lines.
                c if c.is_control() => line.push(' '),
                c => line.push(c),
            }
        }
        line.push('"');
    }
    // The text is UTF-8, and says so (section 6.4).
    line.push_str("] \u{feff}");
    line.extend(sentence(event).chars().map(|c| if c.is_control() { ' ' } else { c }));
    line
}

/// A field of the header: printable ASCII without blanks, `-` for nothing.
fn name(text: &str, most: usize) -> String {
    let name: String = text.chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).take(most).collect();
    if name.is_empty() { "-".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exported, samples};
    use regex::Regex;

    /// The grammar of RFC 5424, section 6, as a pattern.
    fn grammar() -> Regex {
        let name = r#"[!#-<>-\[^-~]{1,32}"#;
        let value = r#""(?:[^"\\\]]|\\["\\\]])*""#;
        let element = format!(r"\[{name}(?: {name}={value})*\]");
        let time = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})";
        let text = format!(
            r"^<(\d{{1,3}})>1 (?:-|{time}) [!-~]{{1,255}} [!-~]{{1,48}} [!-~]{{1,128}} [!-~]{{1,32}} (?:-|(?:{element})+)(?: \x{{FEFF}}.*)?$"
        );
        Regex::new(&text).expect("pattern")
    }

    #[test]
    fn messages_follow_the_grammar() {
        let (grammar, text) = (grammar(), exported("syslog"));
        assert_eq!(text.lines().count(), samples().len());
        for line in text.lines() {
            let found = grammar.captures(line).unwrap_or_else(|| panic!("not as RFC 5424 says: {line}"));
            let priority: u8 = found[1].parse().expect("priority");
            assert_eq!(priority / 8, super::FACILITY);
        }
        for wrong in ["<110>1 - - - - - - x]", "<1>1 now h a p m -", "<13>1 - h a p m [x a=\"]\"]"] {
            assert!(!grammar.is_match(wrong), "{wrong}");
        }
    }

    /// As a reader that is not ours takes them: fields, escapes and all.
    #[test]
    fn somebody_elses_reader_reads_what_was_written() {
        use syslog_loose::{Protocol, Variant, parse_message_with_year_exact};
        let text = exported("syslog");
        for (line, (event, _)) in text.lines().zip(samples()) {
            let read = parse_message_with_year_exact(line, |_| 1970, Variant::RFC5424).expect(line);
            assert_eq!(read.protocol, Protocol::RFC5424(1), "{line}");
            let time = read.timestamp.and_then(|time| time.timestamp_nanos_opt()).expect("a time");
            assert_eq!(time.div_euclid(1000), event.time.div_euclid(1000), "{line}");
            assert_eq!(read.msgid, Some(event.action.as_str()), "{line}");
            let pairs = || read.structured_data.iter().flat_map(|element| element.params());
            let has = |value: &str| pairs().any(|(_, found)| found == value);
            assert!(has(&event.seq.to_string()), "{line}");
            assert!(
                event
                    .reason
                    .as_ref()
                    .is_none_or(|reason| read.msg.contains(reason.lines().next().unwrap_or_default()) || has(reason)),
                "{line}"
            );
        }
    }
}
