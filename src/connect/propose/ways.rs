//! Guesses how a stream is written: from calls that change what stands at its path, or at that of one record.

use serde_json::Value as Json;

use super::calls::{body, must, parameters};
use super::describe::{kind, properties, snake};
use super::openapi::{about, member, text};
use super::paging::quoted;
use super::write::{Draft, Stream, path_name};

/// What a call seems to do, from its method and what is said of it.
fn deed(method: &str, call: &Json, single: bool) -> Option<&'static str> {
    let said = format!("{} {}", about(call), text(call.get("operationId")).unwrap_or_default()).to_lowercase();
    let both = (said.contains("creat") || said.contains("add")) && said.contains("updat") || said.contains("upsert");
    // A question that is too long for an address.
    const ASKS: [&str; 8] = ["get ", "list ", "obtain", "search", "query", "retriev", "find ", "filter"];
    if method == "post" && !both && ASKS.iter().any(|word| said.starts_with(word)) {
        return None;
    }
    match (method, single) {
        ("delete", true) => Some("delete"),
        ("post" | "put", false) if both => Some("upsert"),
        ("post", false) => Some("create"),
        ("put", false) if said.contains("creat") || said.contains("add") => Some("create"),
        ("put", true) if both => Some("upsert"),
        ("patch" | "put", true) => Some("update"),
        ("post", true) if said.contains("updat") => Some("update"),
        _ => None,
    }
}

/// Adds ways of writing to a stream; what they use is no operation any more.
pub(super) fn add<'d>(
    document: &Json,
    stream: &mut Stream,
    paths: &[(&'d String, &'d Json)],
    draft: &mut Draft,
    taken: &mut Vec<(String, &'static str)>,
) {
    let Some((path, item)) = paths.iter().find(|(path, _)| **path == stream.template) else { return };
    let one = |other: &str| {
        let rest = other.strip_prefix(path.trim_end_matches('/')).and_then(|rest| rest.strip_prefix("/{"));
        rest.is_some_and(|rest| rest.trim_end_matches('/').ends_with('}') && !rest.trim_end_matches('/').contains('/'))
    };
    let key = stream.shape.key.clone().map(|key| snake(&key));
    // `/contacts/{number}` may stand beside `/contacts/{id}`: the one named after the key is meant.
    let mut singles: Vec<&(&String, &Json)> = paths.iter().filter(|(other, _)| one(other)).collect();
    singles.sort_by_key(|(other, _)| {
        let hole = snake(other.trim_end_matches('/').rsplit('/').next().unwrap_or_default());
        key.as_deref() != Some(hole.as_str())
    });
    let mut calls: Vec<(&String, &Json, bool)> = vec![(path, item, false)];
    calls.extend(singles.first().map(|(path, item)| (*path, *item, true)));
    for (path, item, single) in calls {
        for method in ["patch", "put", "post", "delete"] {
            let Some(call) = item.get(method) else { continue };
            let Some(name) = deed(method, call, single) else { continue };
            if stream.ways.iter().any(|(known, _)| known == name) {
                continue;
            }
            if let Some(lines) = way(document, stream, (path, item), (method, call), (name, single), draft) {
                stream.ways.push((name.to_owned(), lines));
                taken.push((path.clone(), method));
            }
        }
    }
    const ORDER: [&str; 4] = ["create", "update", "upsert", "delete"];
    stream.ways.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
}

fn way(
    document: &Json,
    stream: &Stream,
    (path, item): (&str, &Json),
    (method, call): (&str, &Json),
    (name, single): (&str, bool),
    draft: &mut Draft,
) -> Option<Vec<String>> {
    let body = match body(document, call).ok()? {
        // Text cannot hold a record.
        Some(body) if body.form != "text" => Some(body),
        None if method == "delete" => None,
        _ => return None,
    };
    let all = parameters(document, item, call);
    let mut lines = vec![format!("method: {}", method.to_uppercase())];
    let mut rendered = path.to_owned();
    let mut apart: Vec<String> = Vec::new();
    for hole in &stream.holes {
        let of = hole.field.as_ref().map_or(hole.expression.clone(), |field| format!("record{}", member(field)));
        rendered = rendered.replace(&hole.text, &format!("{{{{ {of} }}}}"));
    }
    if single {
        let key = stream.shape.key.as_ref()?;
        let hole = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        rendered = rendered.replace(hole, &format!("{{{{ record{} }}}}", member(key)));
        apart.push(path_name(key));
    }
    apart.extend(stream.added.iter().map(|(_, field)| path_name(&field.name)));
    lines.push(format!("path: {}", quoted(&rendered)));
    for place in ["query", "header"] {
        let list = must(&all, place, &[], draft);
        if !list.is_empty() {
            lines.push(format!("{}:", if place == "header" { "headers" } else { place }));
            lines.extend(list.iter().map(|(name, value)| format!("  {}: {}", quoted(name), quoted(value))));
        }
    }
    if let Some(body) = &body {
        if !apart.is_empty() {
            let names: Vec<String> = apart.iter().map(|name| quoted(name)).collect();
            lines.push(format!("apart: [{}]", names.join(", ")));
        }
        if let Some(media) = &body.media {
            match lines.iter().position(|line| line == "headers:") {
                Some(at) => lines.insert(at + 1, format!("  Content-Type: {}", quoted(media))),
                None => lines.extend(["headers:".to_owned(), format!("  Content-Type: {}", quoted(media))]),
            }
        }
        lines.push(wrapped(document, body.schema, stream));
        if body.form != "json" {
            lines.push(format!("body_as: {}", body.form));
        }
    }
    let key =
        all.iter().find(|parameter| parameter.place == "header" && snake(&parameter.name).contains("idempotency"));
    match key {
        Some(key) => lines.push(format!("idempotency: {{ send: {{ header: {} }} }}", quoted(&key.name))),
        None if name == "create" => {
            lines.push("on_unknown: park   # nothing is said of a key by which a request is known again".into());
        }
        None => {}
    }
    Some(lines)
}

/// The body of a request that writes: the fields of the record, or a list in which it stands.
fn wrapped(document: &Json, of: &Json, stream: &Stream) -> String {
    if kind(document, of) == "list" {
        return "body: [\"{{ fields }}\"]   # guessed".into();
    }
    let all = properties(document, of, 0);
    let known = stream.shape.fields.iter().filter(|field| all.iter().any(|(name, _, _)| *name == field.name)).count();
    if known * 2 >= all.len().max(1) {
        return "body: \"{{ fields }}\"".into();
    }
    for (name, below, _) in &all {
        let of_list = kind(document, below) == "list";
        if all.len() == 1 || stream.shape.path.last().is_some_and(|last| last == name) {
            let inner = if of_list { "[\"{{ fields }}\"]" } else { "\"{{ fields }}\"" };
            return format!("body: {{ {}: {inner} }}   # guessed", quoted(name));
        }
    }
    "body: \"{{ fields }}\"   # guessed".into()
}
