//! Guesses how a list comes in pages: from the parameters that it takes, and from what its answer says.

use serde_json::Value as Json;

use super::describe::{properties, snake};

/// How pages were guessed to come: lines of YAML under `pages:`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Paging {
    /// Lines, without indentation.
    pub(super) lines: Vec<String>,
    /// Parameters that are spoken for.
    pub(super) parameters: Vec<String>,
}

const SIZES: &[&str] = &["limit", "per_page", "page_size", "pagesize", "size", "max_results", "count", "page_limit"];
const NUMBERS: &[&str] = &["page", "page_number", "pagenumber", "page_no"];
const OFFSETS: &[&str] = &["offset", "skip", "start", "page_offset"];
const TOKENS: &[&str] = &[
    "cursor",
    "after",
    "page_token",
    "next_token",
    "starting_after",
    "continuation_token",
    "page_cursor",
    "next_cursor",
];

/// From the parameters of a list (their names with the schema) and the schema of its answer.
pub(super) fn guess(document: &Json, parameters: &[(String, Json)], answer: &Json) -> Option<Paging> {
    let find =
        |names: &[&str]| names.iter().find_map(|wanted| parameters.iter().find(|(name, _)| snake(name) == *wanted));
    let size = find(SIZES);
    let asked = size.map(|(_, schema)| {
        let most = schema.get("maximum").and_then(Json::as_u64).unwrap_or(100);
        most.clamp(1, 100)
    });
    let mut made = Paging::default();
    let sized = |made: &mut Paging| {
        if let (Some((name, _)), Some(asked)) = (size, asked) {
            made.lines.push(format!("size: {asked}"));
            made.lines.push(format!("send_size: {{ query: {} }}", quoted(name)));
            made.parameters.push(name.clone());
        }
    };
    let (url, token) = ends(document, answer);
    if let Some(path) = url {
        made.lines.push("kind: url".into());
        made.lines.push(format!("next: answer.body.{}", optional(&path)));
        sized(&mut made);
        return Some(made);
    }
    if let (Some((name, _)), Some(path)) = (find(TOKENS), token) {
        made.lines.push("kind: token".into());
        made.lines.push(format!("next: answer.body.{}", optional(&path)));
        made.lines.push(format!("send: {{ query: {} }}", quoted(name)));
        made.parameters.push(name.clone());
        sized(&mut made);
        return Some(made);
    }
    for (kind, names) in [("page", NUMBERS), ("offset", OFFSETS)] {
        let Some((name, _)) = find(names) else { continue };
        made.lines.push(format!("kind: {kind}"));
        made.lines.push(format!("send: {{ query: {} }}", quoted(name)));
        made.parameters.push(name.clone());
        sized(&mut made);
        return Some(made);
    }
    None
}

/// From an answer alone.
pub(super) fn of_answer(answer: &Json) -> Option<Paging> {
    let (mut url, mut token) = (None, None);
    seek(answer, &mut Vec::new(), &mut |path, value| {
        let is_url = value.as_str().is_some_and(|text| text.starts_with("http"));
        match snake(path.last().map_or("", String::as_str)).as_str() {
            "next" | "next_link" | "next_url" | "odata_next_link" if is_url => url = Some(path.to_vec()),
            "next" | "next_cursor" | "cursor" | "after" | "next_page_token" | "next_token" => {
                token = Some(path.to_vec())
            }
            _ => {}
        }
    });
    match (url, token) {
        (Some(path), _) => Some(Paging {
            lines: vec!["kind: url".into(), format!("next: answer.body.{}", optional(&path))],
            ..Paging::default()
        }),
        (None, Some(path)) => Some(Paging {
            lines: vec![
                "kind: token".into(),
                format!("next: answer.body.{}", optional(&path)),
                "send: { query: cursor }   # guessed: which parameter takes it?".into(),
            ],
            ..Paging::default()
        }),
        _ => None,
    }
}

fn seek(value: &Json, path: &mut Vec<String>, see: &mut dyn FnMut(&[String], &Json)) {
    for (name, below) in value.as_object().into_iter().flatten() {
        path.push(name.clone());
        match below {
            Json::Object(_) => seek(below, path, see),
            Json::String(_) | Json::Number(_) => see(path, below),
            _ => {}
        }
        path.pop();
    }
}

/// Where the answer names the next page: as an address, as a token.
fn ends(document: &Json, answer: &Json) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let (mut url, mut token) = (None, None);
    let mut see = |path: Vec<String>| match (snake(path.last().map_or("", String::as_str)).as_str(), path.len()) {
        ("next", 2..) if snake(&path[0]).contains("link") || snake(&path[0]).contains("paging") => url = Some(path),
        ("next_link" | "next_url" | "odata_next_link", _) => url = Some(path),
        ("next_cursor" | "next_page_token" | "next_token" | "after" | "end_cursor" | "last_id", _) => {
            token = Some(path)
        }
        _ => {}
    };
    for (name, below, _) in properties(document, answer, 0) {
        see(vec![name.to_owned()]);
        for (inner, deeper, _) in properties(document, below, 0) {
            see(vec![name.to_owned(), inner.to_owned()]);
            for (last, _, _) in properties(document, deeper, 0) {
                see(vec![name.to_owned(), inner.to_owned(), last.to_owned()]);
            }
        }
    }
    (url, token)
}

/// A path whose every part may be missing.
fn optional(path: &[String]) -> String {
    let plain = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    let mut out = String::new();
    for (at, name) in path.iter().enumerate() {
        match plain(name) {
            true if at == 0 => out.push_str(&format!("?{name}")),
            true => out.push_str(&format!(".?{name}")),
            false => {
                out.truncate(out.trim_end_matches('.').len());
                out.push_str(&format!("[?\"{name}\"]"));
            }
        }
    }
    let out = format!("{out}.orValue(null)");
    out.replacen(".[", "[", 1)
}

/// A scalar of YAML.
pub(super) fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.'))
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !matches!(text.to_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    match plain {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r', '\t'], " ")),
    }
}
