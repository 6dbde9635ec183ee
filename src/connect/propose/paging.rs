//! Guesses how a list comes in pages: from the parameters that it takes, and from what its answer says.

use serde_json::Value as Json;

use super::describe::{kind, properties, resolved, snake};

/// How pages were guessed to come: lines of YAML under `pages:`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Paging {
    /// Lines, without indentation.
    pub(super) lines: Vec<String>,
    /// Parameters that are spoken for.
    pub(super) parameters: Vec<String>,
}

const SIZES: &[&str] = &[
    "limit",
    "per_page",
    "page_size",
    "pagesize",
    "perpage",
    "size",
    "top",
    "max_results",
    "maxresults",
    "count",
    "page_limit",
    "first",
    "num_results",
    "results_per_page",
];
const NUMBERS: &[&str] = &["page", "page_number", "pagenumber", "page_no", "page_index", "current_page"];
const OFFSETS: &[&str] = &["offset", "skip", "start", "page_offset", "start_index", "startindex"];
const TOKENS: &[&str] = &[
    "cursor",
    "after",
    "page_token",
    "pagetoken",
    "next_token",
    "nexttoken",
    "continuation_token",
    "page_cursor",
    "next_cursor",
    "start_cursor",
    "scroll_id",
    "marker",
    "bookmark",
];
/// These take the key of the last record.
const LASTS: &[&str] = &["starting_after", "since_id", "after_id", "last_id", "start_after"];
const TOTALS: &[&str] = &[
    "total",
    "total_count",
    "totalcount",
    "total_records",
    "total_results",
    "total_items",
    "total_elements",
    "item_count",
    "records_total",
];
const MORE: &[&str] = &["has_more", "hasmore", "has_next", "has_next_page", "more", "more_results", "is_truncated"];

/// What an answer says of pages, each with the way to it.
#[derive(Debug, Default)]
struct Ends {
    /// The address of the next page.
    url: Option<Vec<String>>,
    /// A token for it.
    token: Option<Vec<String>>,
    /// Whether there is more.
    more: Option<Vec<String>>,
    /// How many records there are.
    total: Option<Vec<String>>,
    /// The next page's number.
    number: Option<Vec<String>>,
}

impl Ends {
    /// `url`: whether what stands there is an address; of a `next` that has a `previous` beside it, too.
    fn see(&mut self, path: &[String], text: bool, url: bool, beside: &[&str]) {
        let name = snake(path.last().map_or("", String::as_str));
        let above = path.len().checked_sub(2).map(|at| snake(&path[at])).unwrap_or_default();
        let linked = above.contains("link");
        let name = name.as_str();
        let place = match name {
            "odata_next_link" | "next_link" | "next_url" | "nextlink" | "next_uri" | "next_records_url" if text => {
                &mut self.url
            }
            "next_page_url" | "next_page_uri" if text => &mut self.url,
            "next" if text && (url || linked || beside.iter().any(|name| name.starts_with("prev"))) => &mut self.url,
            "next_page" if text && url => &mut self.url,
            "next" | "next_cursor" | "next_page_token" | "next_token" | "after" | "end_cursor" | "cursor"
            | "continuation_token" | "next_marker" | "scroll_id" | "next_page_cursor" | "bookmark"
                if text =>
            {
                &mut self.token
            }
            "next_page" if text => &mut self.token,
            "next_page" | "next_page_number" => &mut self.number,
            _ if MORE.contains(&name) => &mut self.more,
            _ if TOTALS.contains(&name) && !text => &mut self.total,
            _ => return,
        };
        // What stands higher up comes first.
        if place.as_ref().is_none_or(|known| known.len() > path.len()) {
            *place = Some(path.to_vec());
        }
    }
}

/// From the parameters of a list (their names with the schema), the schema of its answer, the headers of
/// that and the key of its records.
pub(super) fn guess(
    document: &Json,
    parameters: &[(String, Json)],
    answer: &Json,
    headers: &[String],
    key: Option<&str>,
) -> Option<Paging> {
    let find =
        |names: &[&str]| names.iter().find_map(|wanted| parameters.iter().find(|(name, _)| snake(name) == *wanted));
    let size = find(SIZES);
    let mut made = Paging::default();
    let sized = |made: &mut Paging| {
        let Some((name, schema)) = size else { return };
        // What the description calls the most is asked for; where it names none, a hundred is rarely too much.
        let most = schema.get("maximum").and_then(Json::as_u64).filter(|most| *most > 0);
        let least = schema.get("minimum").and_then(Json::as_u64).unwrap_or(1);
        let asked = most.map_or(100.max(least), |most| most.min(1000));
        made.lines.push(format!("size: {asked}"));
        made.lines.push(format!("send_size: {{ query: {} }}", quoted(name)));
        made.parameters.push(name.clone());
    };
    let ends = ends(document, answer);
    let whole = |made: &mut Paging| {
        if let Some(path) = &ends.total {
            made.lines.push(format!("total: answer.body{}", optional(path)));
        }
    };
    let taker = |made: &mut Paging, name: &str| {
        made.lines.push(format!("send: {{ query: {} }}", quoted(name)));
        made.parameters.push(name.to_owned());
    };
    if let Some(path) = &ends.url {
        match path.last().is_some_and(|name| name == "@odata.nextLink") {
            true => made.lines.push("kind: odata".into()),
            false => {
                made.lines.push("kind: url".into());
                made.lines.push(format!("next: answer.body{}", optional(path)));
            }
        }
        sized(&mut made);
        whole(&mut made);
        return Some(made);
    }
    if headers.iter().any(|name| name.eq_ignore_ascii_case("link")) {
        made.lines.push("kind: link".into());
        sized(&mut made);
        return Some(made);
    }
    let by_number = find(NUMBERS).filter(|_| ends.number.is_some() && ends.token.is_none());
    if let (Some((name, _)), Some(path)) =
        (find(TOKENS).or(by_number), ends.token.as_ref().or(ends.number.as_ref().filter(|_| by_number.is_some())))
    {
        made.lines.push("kind: token".into());
        made.lines.push(format!("next: answer.body{}", optional(path)));
        taker(&mut made, name);
        if let Some(more) = &ends.more {
            made.lines.push(format!("stop: {{ when: \"answer.body{} == false\" }}", optional(more)));
        }
        sized(&mut made);
        whole(&mut made);
        return Some(made);
    }
    if let (Some((name, _)), Some(key)) = (find(LASTS), key) {
        made.lines.push("kind: last".into());
        made.lines.push(format!("next: page.last{}", super::openapi::member(key)));
        taker(&mut made, name);
        if let Some(more) = &ends.more {
            made.lines.push(format!("stop: {{ when: \"answer.body{} == false\" }}", optional(more)));
        }
        sized(&mut made);
        return Some(made);
    }
    for (word, names) in [("page", NUMBERS), ("offset", OFFSETS)] {
        let counts = |(_, schema): &&(String, Json)| matches!(kind(document, schema), "int" | "decimal" | "any");
        let Some((name, schema)) = find(names).filter(counts) else { continue };
        made.lines.push(format!("kind: {word}"));
        taker(&mut made, name);
        let first = schema.get("minimum").or_else(|| schema.get("default")).and_then(Json::as_u64);
        if let Some(first @ (0 | 1)) = first.filter(|first| *first != u64::from(word == "page")) {
            made.lines.push(format!("first: {first}"));
        }
        if let Some(more) = &ends.more {
            made.lines.push(format!("stop: {{ when: \"answer.body{} == false\" }}", optional(more)));
        }
        sized(&mut made);
        whole(&mut made);
        return Some(made);
    }
    None
}

/// From an answer alone.
pub(super) fn of_answer(answer: &Json) -> Option<Paging> {
    let mut ends = Ends::default();
    seek(answer, &mut Vec::new(), &mut |path, value, beside| {
        let address = value.as_str().is_some_and(|text| text.starts_with("http") || text.starts_with('/'));
        // A token that is null was the last one's.
        ends.see(path, value.is_string() || value.is_null(), address, beside);
    });
    let mut lines = Vec::new();
    match (&ends.url, &ends.token, &ends.number) {
        (Some(path), ..) if path.last().is_some_and(|name| name == "@odata.nextLink") => {
            lines.push("kind: odata".to_owned());
        }
        (Some(path), ..) => {
            lines.push("kind: url".to_owned());
            lines.push(format!("next: answer.body{}", optional(path)));
        }
        (None, Some(path), _) => {
            lines.push("kind: token".into());
            lines.push(format!("next: answer.body{}", optional(path)));
            lines.push("send: { query: cursor }   # guessed: which parameter takes it?".into());
        }
        (None, None, Some(path)) => {
            lines.push("kind: token".into());
            lines.push(format!("next: answer.body{}", optional(path)));
            lines.push("send: { query: page }   # guessed: which parameter takes it?".into());
        }
        (None, None, None) if ends.total.is_some() || ends.more.is_some() => {
            lines.push("kind: page".into());
            lines.push("send: { query: page }   # guessed: which parameter takes it?".into());
        }
        _ => return None,
    }
    if let Some(more) = ends.more.as_ref().filter(|_| ends.url.is_none()) {
        lines.push(format!("stop: {{ when: \"answer.body{} == false\" }}", optional(more)));
    }
    if let Some(path) = &ends.total {
        lines.push(format!("total: answer.body{}", optional(path)));
    }
    Some(Paging { lines, ..Paging::default() })
}

/// Sees a value: the way to it, itself, the names beside it.
type Seen<'s> = dyn FnMut(&[String], &Json, &[&str]) + 's;

fn seek(value: &Json, path: &mut Vec<String>, see: &mut Seen<'_>) {
    let beside: Vec<&str> = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    for (name, below) in value.as_object().into_iter().flatten() {
        path.push(name.clone());
        match below {
            Json::Object(_) => seek(below, path, see),
            Json::String(_) | Json::Number(_) | Json::Bool(_) | Json::Null => see(path, below, &beside),
            _ => {}
        }
        path.pop();
    }
}

/// What the schema of an answer says.
fn ends(document: &Json, answer: &Json) -> Ends {
    let mut ends = Ends::default();
    below(document, answer, &mut Vec::new(), &mut ends);
    ends
}

fn below(document: &Json, schema: &Json, path: &mut Vec<String>, ends: &mut Ends) {
    let all = properties(document, schema, 0);
    let beside: Vec<&str> = all.iter().map(|(name, ..)| *name).collect();
    for (name, inner, _) in &all {
        path.push((*name).to_owned());
        match kind(document, inner) {
            "map" if path.len() < 3 => below(document, inner, path, ends),
            "list" | "map" => {}
            found => {
                let of = resolved(document, inner);
                let format = of.get("format").and_then(Json::as_str).unwrap_or_default();
                let address = matches!(format, "uri" | "url" | "uri-reference");
                ends.see(path, !matches!(found, "int" | "decimal" | "bool"), address, &beside);
            }
        }
        path.pop();
    }
}

/// A path whose every part may be missing, behind what it is a part of.
fn optional(path: &[String]) -> String {
    let mut out = String::new();
    for name in path {
        match is_word(name) {
            true => out.push_str(&format!(".?{name}")),
            false => out.push_str(&format!("[?'{}']", name.replace(['\\', '\''], ""))),
        }
    }
    out + ".orValue(null)"
}

/// Whether a name can stand in an expression as it is.
pub(super) fn is_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit())
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
