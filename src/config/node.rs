//! From the checked tree to the resolved one: values with their places, options filled with
//! their defaults.

use super::check::Checker;
use super::describe::{OptionKind, OptionSpec};
use super::source::{Source, password_in_url};
use super::yaml::{self, Entry, Raw, RawKind};
use super::{Node, Spanned, Text};
use crate::error::{Finding, Place, codes::config as codes, nearest};
use crate::record::Path;

/// Options as the resolved configuration has them.
pub type Options = Vec<(Spanned<String>, Spanned<Node>)>;

/// The resolved form of a tree. Faults in references were found by the check before.
pub fn node(raw: &Raw, source: &Source) -> Spanned<Node> {
    let value = match &raw.kind {
        RawKind::Null => Node::Null,
        RawKind::Bool(value) => Node::Bool(*value),
        RawKind::Number(text) => Node::Number(text.clone()),
        RawKind::Text { text, .. } => Node::Text(Text::parse(text).unwrap_or_else(|_| Text::literal(text.clone()))),
        RawKind::List { items, .. } => Node::List(items.iter().map(|item| node(item, source)).collect()),
        RawKind::Map { entries, .. } => Node::Map(pairs(entries, source)),
    };
    Spanned { value, place: source.place(raw.start, raw.end) }
}

/// The entries of a map with their places.
pub fn pairs(entries: &[Entry], source: &Source) -> Options {
    entries.iter().map(|entry| (key(entry, source), node(&entry.value, source))).collect()
}

fn key(entry: &Entry, source: &Source) -> Spanned<String> {
    Spanned { value: entry.key.clone(), place: source.place(entry.start, entry.end) }
}

/// Checks options against their description and fills in defaults, which get the place of what
/// they belong to. `owner` is what they are options of: "`file`", "streams of `file`".
pub fn options(
    checker: &mut Checker<'_>,
    entries: &[Entry],
    specs: &'static [OptionSpec],
    owner: &str,
    around: (usize, usize),
) -> Options {
    let mut out = Options::new();
    for entry in entries {
        let Some(spec) = specs.iter().find(|spec| spec.name == entry.key) else {
            let names = specs.iter().map(|spec| spec.name);
            let fix = match nearest(&entry.key, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if specs.is_empty() => "remove it: there are no options".to_owned(),
                None => format!("options are {}", names.collect::<Vec<_>>().join(", ")),
            };
            let cause = format!("{owner} has no option `{}`", entry.key);
            checker.error(&codes::UNKNOWN_KEY, entry.start, entry.end, cause, fix);
            continue;
        };
        if option(checker, &entry.value, spec, entry) {
            out.push((key(entry, checker.source), node(&entry.value, checker.source)));
        }
    }
    for spec in specs.iter().filter(|spec| !entries.iter().any(|entry| entry.key == spec.name)) {
        let place = checker.source.place(around.0, around.1);
        match spec.default {
            Some(yaml) => {
                let value = Spanned { value: default(yaml), place: place.clone() };
                out.push((Spanned { value: spec.name.to_owned(), place }, value));
            }
            None if spec.required => {
                let cause = format!("{owner} needs `{}`", spec.name);
                let fix = format!("add `{}`: {}", spec.name, spec.about.trim_end_matches('.'));
                checker.error(&codes::MISSING_KEY, around.0, around.1, cause, fix);
            }
            None => {}
        }
    }
    out
}

/// The value of a default, which its owner's tests keep valid.
pub fn default(yaml: &str) -> Node {
    let source = Source::new("default", yaml);
    if let Some(kind) = yaml::word(yaml) {
        return node(&Raw { kind, start: 0, end: yaml.len() }, &source).value;
    }
    yaml::parse(&source, &mut Vec::new()).map_or(Node::Null, |raw| node(&raw, &source).value)
}

/// Whether the value fits its description; if not, a finding says so.
fn option(checker: &mut Checker<'_>, raw: &Raw, spec: &OptionSpec, entry: &Entry) -> bool {
    let before = checker.findings.len();
    if let RawKind::Text { text, .. } = &raw.kind
        && (spec.secret || password_in_url(text))
        && Text::parse(text).is_ok_and(|text| !text.has_reference() && !text.pieces.is_empty())
    {
        checker.literal_secret(&entry.key, raw, entry.start, entry.end);
        return false;
    }
    if spec.secret && matches!(raw.kind, RawKind::Number(_) | RawKind::Bool(_) | RawKind::List { .. }) {
        checker.literal_secret(&entry.key, raw, entry.start, entry.end);
        return false;
    }
    kind(checker, raw, &spec.kind, &entry.key, (entry.start, entry.end));
    checker.findings.len() == before
}

fn kind(checker: &mut Checker<'_>, raw: &Raw, kind_of: &OptionKind, name: &str, around: (usize, usize)) {
    let (start, end) = (raw.start, raw.end);
    match (kind_of, &raw.kind) {
        (OptionKind::Text | OptionKind::FilePath, RawKind::Text { text, .. }) => {
            checker.leaves(raw);
            if text.is_empty() && matches!(kind_of, OptionKind::FilePath) {
                checker.error(&codes::BAD_VALUE, around.0, around.1, format!("`{name}` is empty"), "");
            }
        }
        (OptionKind::Text | OptionKind::FilePath, RawKind::Number(_) | RawKind::Bool(_)) => {
            let fix = format!("quote it: \"{}\"", &checker.source.text()[start..end]);
            checker.error(&codes::WRONG_TYPE, start, end, format!("`{name}` is text, this is {}", raw.what()), fix);
        }
        (OptionKind::Text | OptionKind::FilePath, _) => checker.wrong_type(raw, &format!("`{name}` is text"), around),
        (OptionKind::Bool, RawKind::Bool(_)) => {}
        (OptionKind::Bool, _) => {
            checker.wrong_type(raw, &format!("`{name}` is true or false"), around);
        }
        (OptionKind::Int { min, max }, RawKind::Number(text)) => {
            if !text.parse::<i64>().is_ok_and(|value| (*min..=*max).contains(&value)) {
                let cause = format!("`{name}` is a whole number from {min} to {max}, this is {text}");
                checker.error(&codes::BAD_VALUE, start, end, cause, "");
            }
        }
        (OptionKind::Int { .. }, _) => checker.wrong_type(raw, &format!("`{name}` is a whole number"), around),
        (OptionKind::Choice(words), _) => {
            // A word such as `none`, `off` or `true` may have been read as something else.
            let written = raw.text().unwrap_or_else(|| checker.source.text().get(start..end).unwrap_or_default());
            if !words.contains(&written) {
                let fix = match nearest(written, words.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("use one of {}", words.join(", ")),
                };
                let (start, end) = if start == end { around } else { (start, end) };
                checker.error(&codes::BAD_VALUE, start, end, format!("`{name}` cannot be `{written}`"), fix);
            }
        }
        (OptionKind::Character, RawKind::Text { text, .. }) => {
            if text.chars().count() != 1 && !matches!(text.as_str(), "tab" | "none") {
                let cause = format!("`{name}` is one character, or the word `tab` or `none`");
                checker.error(&codes::BAD_VALUE, start, end, cause, "");
            }
        }
        (OptionKind::Character, RawKind::Number(_)) => {
            let fix = format!("quote it: \"{}\"", &checker.source.text()[start..end]);
            checker.error(&codes::WRONG_TYPE, start, end, format!("`{name}` is one character, this is a number"), fix);
        }
        (OptionKind::Character, _) => checker.wrong_type(raw, &format!("`{name}` is one character, quoted"), around),
        (OptionKind::RecordPath, RawKind::Text { text, .. }) => {
            if let Err(error) = Path::parse(text) {
                checker.error(&codes::BAD_PATH, start, end, format!("`{text}` is no path: {}", error.cause), "");
            }
        }
        (OptionKind::RecordPath, _) => checker.wrong_type(raw, &format!("`{name}` is a path"), around),
        (OptionKind::List(inner), RawKind::List { items, .. }) => {
            items.iter().for_each(|item| kind(checker, item, inner, name, (item.start, item.end)));
        }
        (OptionKind::List(_), _) => checker.wrong_type(raw, &format!("`{name}` is a list"), around),
    }
}

/// A finding's order in a report: file, line, column.
pub fn order(finding: &Finding) -> (String, u32, u32) {
    let place = finding.place.as_ref();
    let part = |get: fn(&Place) -> u32| place.map_or(0, get);
    (place.map(|place| place.file.clone()).unwrap_or_default(), part(|p| p.line), part(|p| p.column))
}
