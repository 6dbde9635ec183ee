//! Puts what came out into the `expect` of a test, in the file as it stands: only what differs is
//! written anew, at its own place, and comments and layout stay.

use serde_json::Value;

use super::source::Source;
use super::yaml::{self, Entry, Raw, RawKind, Style};
use crate::error::Findings;

/// What became of the record of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    /// A record; `flat` where null is the same as nothing.
    Record {
        /// It, with the digits that its numbers have.
        record: Value,
        /// Whether null is the same as nothing.
        flat: bool,
    },
    /// `when` held it back.
    Filtered,
    /// It was rejected, with this code.
    Rejected(&'static str),
    /// The rule of this name kept it back.
    Withheld(String),
}

/// The text of a mapping's file with the expectation of the test of that name as it came; `None` if the
/// test cannot be found or its form is not one that is written.
pub fn expectation(text: &str, test: &str, came: &Came) -> Option<String> {
    let mut text = text.to_owned();
    // What is gone first, then what is new: an edit never lies in another.
    for adds in [false, true] {
        let source = Source::new("", text.as_str());
        let raw = yaml::parse(&source, &mut Findings::new())?;
        let named = |item: &&Raw| entry(item, "name").and_then(|name| name.value.text()) == Some(test);
        let tests = &entry(&raw, "tests")?.value;
        let found = tests.items().iter().find(named)?.entries().iter().find(|entry| entry.key.starts_with("expect"))?;
        let mut edits: Vec<(usize, usize, String)> = Vec::new();
        match came {
            Came::Record { record, flat } if found.key == "expect" => {
                Rewriter { text: &text, flat: *flat, adds, edits: &mut edits }.reconcile(&found.value, record);
            }
            _ if adds => {}
            other => {
                let whole = match other {
                    Came::Record { record, .. } => format!("expect: {}", flow(record)),
                    Came::Filtered => "expect_filtered: true".into(),
                    Came::Rejected(code) => format!("expect_rejected: {code}"),
                    Came::Withheld(rule) => format!("expect_withheld: {}", flow(&Value::String(rule.clone()))),
                };
                edits.push((found.start, end(&found.value).max(found.end + 1), whole));
            }
        }
        edits.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
        for (start, end, by) in edits {
            text.replace_range(start..end, &by);
        }
    }
    let source = Source::new("", text.as_str());
    yaml::parse(&source, &mut Findings::new()).map(|_| text)
}

struct Rewriter<'r> {
    text: &'r str,
    flat: bool,
    adds: bool,
    edits: &'r mut Vec<(usize, usize, String)>,
}

impl Rewriter<'_> {
    fn reconcile(&mut self, raw: &Raw, wanted: &Value) {
        match (&raw.kind, wanted) {
            (RawKind::Map { entries, flow: written }, Value::Object(members)) => {
                let kept = |entry: &&Entry| {
                    members.contains_key(&entry.key) || (self.flat && entry.value.kind == RawKind::Null)
                };
                let gone: Vec<&Entry> = entries.iter().filter(|entry| !kept(entry)).collect();
                let new: Vec<(&String, &Value)> =
                    members.iter().filter(|(name, _)| !entries.iter().any(|entry| entry.key == **name)).collect();
                if (*written && (!gone.is_empty() || !new.is_empty())) || gone.len() == entries.len() {
                    return self.replace(raw, wanted);
                }
                for entry in entries {
                    match members.get(&entry.key) {
                        Some(member) => self.reconcile(&entry.value, member),
                        None if gone.iter().any(|one| one.key == entry.key) && !self.adds => {
                            let from = self.text[..entry.start].rfind('\n').map_or(0, |at| at + 1);
                            let end = end(&entry.value).max(entry.end);
                            let to = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at + 1);
                            self.edits.push((from, to, String::new()));
                        }
                        None => {}
                    }
                }
                if let (true, Some(first)) = (self.adds, entries.first()) {
                    let from = self.text[..first.start].rfind('\n').map_or(0, |at| at + 1);
                    let indent = " ".repeat(self.text[from..first.start].chars().count());
                    let last = entries.last().map_or(first.end, |entry| end(&entry.value).max(entry.end + 1));
                    let at = self.text[last..].find('\n').map_or(self.text.len(), |at| last + at);
                    let lines: String = new
                        .iter()
                        .map(|(name, value)| format!("\n{indent}{}: {}", scalar(name), flow(value)))
                        .collect();
                    if !lines.is_empty() {
                        self.edits.push((at, at, lines));
                    }
                }
            }
            (RawKind::List { items, .. }, Value::Array(wanted)) if items.len() == wanted.len() => {
                items.iter().zip(wanted).for_each(|(item, wanted)| self.reconcile(item, wanted));
            }
            (RawKind::Null, Value::Null) => {}
            (RawKind::Bool(one), Value::Bool(other)) if one == other => {}
            (RawKind::Number(one), Value::Number(other)) if *one == other.to_string() => {}
            (RawKind::Text { text, .. }, Value::String(other)) if text == other => {}
            _ => self.replace(raw, wanted),
        }
    }

    fn replace(&mut self, raw: &Raw, wanted: &Value) {
        if self.adds {
            return;
        }
        let blank = if raw.start == raw.end { " " } else { "" };
        self.edits.push((start(raw), end(raw), format!("{blank}{}", flow(wanted))));
    }
}

fn entry<'r>(raw: &'r Raw, key: &str) -> Option<&'r Entry> {
    raw.entries().iter().find(|entry| entry.key == key)
}

/// The first byte, a quote included.
fn start(raw: &Raw) -> usize {
    match &raw.kind {
        RawKind::Text { style: Style::Single | Style::Double, .. } => raw.start - 1,
        _ => raw.start,
    }
}

/// Behind the last byte of what is written, a quote included.
fn end(raw: &Raw) -> usize {
    match &raw.kind {
        RawKind::Text { style: Style::Single | Style::Double, .. } => raw.end + 1,
        RawKind::Map { entries, flow: false } => {
            entries.last().map_or(raw.end, |last| end(&last.value).max(last.end + 1))
        }
        RawKind::List { items, flow: false } => items.last().map_or(raw.end, end),
        _ => raw.end,
    }
}

/// A value in one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Object(members) => {
            let inner: Vec<String> =
                members.iter().map(|(name, value)| format!("{}: {}", scalar(name), flow(value))).collect();
            format!("{{ {} }}", inner.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => scalar(text),
        plain => plain.to_string(),
    }
}

/// A text as it can stand anywhere in YAML.
fn scalar(text: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/' | '@');
    let begins = text.starts_with(char::is_alphabetic) && !text.ends_with(' ') && text.chars().all(safe);
    // Older readers of YAML take these for true and false.
    let begins = begins && !["yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    match yaml::word(text) {
        Some(RawKind::Text { .. }) if begins => text.to_owned(),
        None if begins && text.contains(' ') => text.to_owned(),
        _ => Value::String(text.to_owned()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expect: &str, came: &str, after: &str) {
        let yaml = format!(
            "fields: []\ntests:\n  - name: one\n    given: {{ a: 1 }}\n{expect}  - name: two\n    expect: {{}}\n"
        );
        let came = match came {
            "filtered" => Came::Filtered,
            "rejected" => Came::Rejected("map-invalid"),
            record => Came::Record { record: serde_json::from_str(record).unwrap(), flat: true },
        };
        let made = expectation(&yaml, "one", &came).unwrap();
        let part = made.split_once("given: { a: 1 }\n").unwrap().1.rsplit_once("  - name: two").unwrap().0;
        assert_eq!(part, after);
        assert_eq!(expectation(&made, "one", &came).as_deref(), Some(made.as_str()), "not stable");
    }

    #[test]
    fn only_what_differs_is_written_anew() {
        check(
            "    expect:\n      price: 1.50   # net\n      # who\n      name: 'A'\n",
            r#"{"price": 1.5, "name": "A"}"#,
            "    expect:\n      price: 1.5   # net\n      # who\n      name: 'A'\n",
        );
        check("    expect: { a: 1, b: x }\n", r#"{"a": 2, "b": "x"}"#, "    expect: { a: 2, b: x }\n");
        check("    expect: { a: 1, b: x }\n", r#"{"a": 1}"#, "    expect: { a: 1 }\n");
        check(
            "    expect:\n      a: 1\n      b: x\n",
            r#"{"b": "x", "c": "no"}"#,
            "    expect:\n      b: x\n      c: \"no\"\n",
        );
        check(
            "    expect:\n      a: { b: [1, 2] }\n",
            r#"{"a": {"b": [1, 3]}}"#,
            "    expect:\n      a: { b: [1, 3] }\n",
        );
        check(
            "    expect:\n      a: \"x: y\"\n      n: null\n",
            r#"{"a": "z # z"}"#,
            "    expect:\n      a: \"z # z\"\n      n: null\n",
        );
        check("    expect: {}\n", r#"{"a": "2024-01-01"}"#, "    expect: { a: \"2024-01-01\" }\n");
    }

    #[test]
    fn another_verdict_replaces_the_key() {
        check("    expect:\n      a: 1\n", "filtered", "    expect_filtered: true\n");
        check("    expect: { a: 1 }\n", "rejected", "    expect_rejected: map-invalid\n");
        check("    expect_rejected: 'odd'   # why\n", r#"{"a": true}"#, "    expect: { a: true }   # why\n");
    }
}
