//! Templates of a pack read backwards: which texts and trees one could have become, and what its
//! expressions stood for then.

use regex::Regex;
use serde_json::{Map, Value as Json};

use crate::config::yaml::{Raw, RawKind};

/// What expressions stood for: their text with the value.
pub(super) type Captures = Vec<(String, Json)>;

/// A text with `{{ … }}` in it, read backwards.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    holes: Vec<String>,
    /// Characters that are fixed.
    pub(super) fixed: usize,
}

/// Where a text stands: what its holes can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// In a path: holes end at a slash; `{name}` is a hole, too.
    Path,
    /// Anywhere else.
    Text,
}

impl Pattern {
    /// Of a template's text. `before`: a text that may stand before it, which is no part of it.
    pub(super) fn new(text: &str, place: Where, before: &str) -> Option<Self> {
        let text = &flattened(text);
        let (mut regex, mut holes, mut fixed) = (String::from("(?s)^"), Vec::new(), 0);
        if !before.is_empty() {
            let (inner, _) = pieces(before, place, &mut Vec::new(), false);
            regex.push_str(&format!("(?:{inner})?"));
        }
        let (inner, count) = pieces(text, place, &mut holes, true);
        fixed += count;
        regex.push_str(&inner);
        regex.push('$');
        Some(Self { regex: Regex::new(&regex).ok()?, holes, fixed })
    }

    /// What the holes stood for, if the text is one that the template could have become.
    pub(super) fn read(&self, text: &str) -> Option<Captures> {
        let found = self.regex.captures(text)?;
        let value = |at: usize| found.get(at + 1).map_or(Json::Null, |found| Json::from(found.as_str()));
        Some(self.holes.iter().enumerate().map(|(at, hole)| (hole.clone(), value(at))).collect())
    }
}

/// The text with joined literals written out: `{{ 'a/' + x }}` is `a/{{ x }}`.
fn flattened(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((inside, after)) = behind.split_once("}}") else { break };
        out.push_str(before);
        let parts = super::place::split(inside, "+");
        let is_text = |part: &&str| matches!(super::place::literal(part), Some(Json::String(_)));
        if parts.len() > 1 && parts.iter().any(is_text) && !inside.contains('?') {
            for part in parts {
                match super::place::literal(part) {
                    Some(Json::String(fixed)) => out.push_str(&fixed),
                    _ => out.push_str(&format!("{{{{ {} }}}}", part.trim())),
                }
            }
        } else {
            out.push_str(&format!("{{{{{inside}}}}}"));
        }
        rest = after;
    }
    out + rest
}

fn pieces(text: &str, place: Where, holes: &mut Vec<String>, capturing: bool) -> (String, usize) {
    let any = if place == Where::Path { "[^/]*?" } else { ".*?" };
    let group = if capturing { format!("({any})") } else { format!("(?:{any})") };
    let (mut out, mut rest, mut fixed) = (String::new(), text, 0);
    loop {
        let braces = rest.find("{{");
        let name = (place == Where::Path).then(|| rest.find('{')).flatten();
        let Some(at) = [braces, name].into_iter().flatten().min() else {
            out.push_str(&regex::escape(rest));
            return (out, fixed + rest.len());
        };
        out.push_str(&regex::escape(&rest[..at]));
        fixed += at;
        let double = braces == Some(at);
        let (open, close) = if double { (2, "}}") } else { (1, "}") };
        let inside = &rest[at + open..];
        let Some(end) = inside.find(close) else {
            out.push_str(&regex::escape(&rest[at..]));
            return (out, fixed);
        };
        let hole = inside[..end].trim();
        holes.push(if double { hole.to_owned() } else { format!("path:{hole}") });
        out.push_str(&group);
        rest = &inside[end + close.len()..];
    }
}

/// A tree of templates, read backwards.
#[derive(Debug)]
pub(super) enum Want {
    /// As it is written.
    Fixed(Json),
    /// Text with expressions.
    Text(Pattern),
    /// One expression alone.
    Whole(String),
    /// A list.
    List(Vec<Want>),
    /// A map; other entries may be there.
    Map(Vec<(String, Want)>),
}

impl Want {
    /// Of a tree of a pack.
    pub(super) fn new(raw: &Raw) -> Self {
        match &raw.kind {
            RawKind::Text { text, .. } if text.contains("{{") => match whole(&flattened(text)) {
                Some(expression) => Self::Whole(expression),
                None => Pattern::new(text, Where::Text, "").map_or(Self::Fixed(Json::Null), Self::Text),
            },
            RawKind::List { items, .. } => Self::List(items.iter().map(Self::new).collect()),
            RawKind::Map { entries, .. } => {
                Self::Map(entries.iter().map(|entry| (entry.key.clone(), Self::new(&entry.value))).collect())
            }
            _ => Self::Fixed(crate::connect::pack::streams::json(raw)),
        }
    }

    /// How many fixed leaves fit, and what the expressions stood for; `None`: it could not have become this.
    pub(super) fn read(&self, value: &Json, captures: &mut Captures) -> Option<usize> {
        match self {
            Self::Fixed(Json::Null) => Some(0),
            Self::Fixed(fixed) => alike(fixed, value).then_some(1),
            Self::Text(pattern) => {
                captures.extend(pattern.read(value.as_str()?)?);
                Some(usize::from(pattern.fixed > 0))
            }
            Self::Whole(expression) => {
                captures.push((expression.clone(), value.clone()));
                Some(0)
            }
            Self::List(wants) => {
                let items = value.as_array()?;
                let mut score = 0;
                for (want, item) in wants.iter().zip(items) {
                    score += want.read(item, captures)?;
                }
                (items.len() >= wants.len()).then_some(score)
            }
            Self::Map(wants) => {
                let entries = value.as_object()?;
                let mut score = 0;
                for (name, want) in wants {
                    if name == "..." {
                        let rest: Map<String, Json> = entries
                            .iter()
                            .filter(|(key, _)| {
                                // What the pack says of each record belongs to it.
                                let own = wants.iter().find(|(known, _)| known == *key).map(|(_, want)| want);
                                own.is_none_or(|want| matches!(want, Self::Fixed(Json::String(_) | Json::Number(_))))
                            })
                            .map(|(key, value)| (key.clone(), value.clone()))
                            .collect();
                        score += want.read(&Json::Object(rest), captures)?;
                        continue;
                    }
                    match (entries.get(name), want) {
                        (Some(value), want) => score += want.read(value, captures)?,
                        (None, Self::Fixed(fixed)) if !fixed.is_null() => return None,
                        (None, _) => {}
                    }
                }
                Some(score)
            }
        }
    }
}

/// The expression of a text that is one alone.
pub(super) fn whole(text: &str) -> Option<String> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("}}")).then(|| inside.trim().to_owned())
}

/// Whether two scalars are written alike: forms and queries know nothing but text.
fn alike(fixed: &Json, value: &Json) -> bool {
    let text = |value: &Json| match value {
        Json::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    fixed == value || (!fixed.is_object() && !fixed.is_array() && text(fixed) == text(value))
}

/// What an expression that speaks of this name stood for: `cursor.value` in `timestamp(cursor.value)`, too.
pub(super) fn said<'c>(captures: &'c Captures, name: &str) -> Option<&'c Json> {
    let speaks = |expression: &str| {
        let plain = expression.replace(".?", ".");
        plain.match_indices(name).any(|(at, _)| {
            let ends = plain[at + name.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_');
            let begins = plain[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.');
            ends && begins
        })
    };
    let exact = captures.iter().find(|(expression, _)| expression == name);
    exact
        .or_else(|| captures.iter().find(|(expression, _)| speaks(expression)))
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_backwards() {
        let pattern = Pattern::new("/customers/{{ record.id }}/cards/{card}", Where::Path, "/v1").unwrap();
        for path in ["/v1/customers/c%201/cards/7", "/customers/c%201/cards/7"] {
            let found = pattern.read(path).unwrap();
            assert_eq!(found, [("record.id".into(), Json::from("c%201")), ("path:card".into(), Json::from("7"))]);
        }
        assert!(pattern.read("/v1/customers/1/2/cards/7").is_none());
    }

    #[test]
    fn bodies_are_read_backwards() {
        let source = crate::config::Source::new(
            "pack",
            "{ action: list, where: \"updated >= {{ cursor.value }} order by x\", inputs: \"{{ records }}\" }",
        );
        let raw = crate::config::yaml::parse(&source, &mut Vec::new()).unwrap();
        let want = Want::new(&raw);
        let mut captures = Captures::new();
        let sent =
            serde_json::json!({ "action": "list", "where": "updated >= 2026 order by x", "inputs": [1], "key": 1 });
        assert_eq!(want.read(&sent, &mut captures), Some(2));
        assert_eq!(said(&captures, "cursor.value"), Some(&Json::from("2026")));
        assert_eq!(said(&captures, "records"), Some(&serde_json::json!([1])));
        assert_eq!(said(&captures, "record"), None);
        let other = serde_json::json!({ "action": "get" });
        assert_eq!(want.read(&other, &mut Captures::new()), None);
    }
}
