//! From an OpenAPI 3 document: lists become streams, what changes their records becomes ways of writing,
//! everything else becomes operations.

use serde_json::Value as Json;

use super::calls::{is_key, is_own, must, operation, parameters, value};
use super::describe::{Classes, Field, Shape, members, resolved, singular, snake};
use super::paging::{self, is_word};
use super::write::{Draft, Hole, Param, Stream};
use super::{signin, since, ways};

/// What calls have, in the order in which they are looked at.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Proposes a pack. `only`: the beginnings of the paths that are wanted; none: all. `classes`: what the name
/// of a field gives away.
///
/// # Errors
/// One sentence, if it is no OpenAPI 3 document or nothing of it can be used.
pub fn from_openapi(name: &str, document: &Json, only: &[String], classes: Classes<'_>) -> Result<String, String> {
    if !document.get("openapi").and_then(Json::as_str).is_some_and(|version| version.starts_with('3')) {
        return Err("it is no OpenAPI 3 document: `openapi: 3…` is missing".into());
    }
    let title = text(document.pointer("/info/title")).unwrap_or_else(|| name.to_owned());
    let wanted = |path: &str| only.is_empty() || only.iter().any(|start| path.starts_with(start.as_str()));
    let paths: Vec<(&String, &Json)> = members(document.get("paths"))
        .filter(|(path, _)| wanted(path))
        .map(|(path, item)| (path, resolved(document, item)))
        .collect();
    let calls: Vec<(&Json, &Json)> = paths
        .iter()
        .flat_map(|(_, item)| METHODS.iter().filter_map(|method| Some((*item, item.get(method)?))))
        .collect();
    let mut draft = Draft {
        name: name.to_owned(),
        about: format!("{}.", one_line(&title).trim_end_matches('.')),
        base: base(document),
        origin: format!("the OpenAPI document \"{}\"", one_line(&title)),
        ..Draft::default()
    };
    let only_calls: Vec<&Json> = calls.iter().map(|(_, call)| *call).collect();
    draft.auth = signin::guess(document, &only_calls, &keys(document, &calls));
    common(document, &calls, &mut draft);
    // Lists first: what they are called is what single records are written by.
    let mut taken: Vec<(String, &str)> = Vec::new();
    let mut sorted = paths.clone();
    sorted.sort_by_key(|(path, _)| (path.matches('{').count(), path.len()));
    for (path, item) in &sorted {
        if let Some(stream) = stream(document, path, item, &mut draft) {
            taken.push(((*path).clone(), "get"));
            draft.streams.push(stream);
        }
    }
    for at in 0..draft.streams.len() {
        let mut stream = std::mem::take(&mut draft.streams[at]);
        ways::add(document, &mut stream, &paths, &mut draft, &mut taken);
        draft.streams[at] = stream;
    }
    for (path, item) in &paths {
        for method in METHODS {
            let Some(call) = item.get(method).filter(|_| !taken.contains(&((*path).clone(), method))) else { continue };
            match operation(document, (path, method), item, call, &draft) {
                Ok(made) => draft.operations.push(made),
                Err(media) => draft.left_out.push(format!("{} {path}: its body is {media}", method.to_uppercase())),
            }
        }
    }
    if draft.streams.is_empty() && draft.operations.is_empty() {
        return Err("there is nothing in it that could be called".into());
    }
    Ok(draft.yaml(classes))
}

/// The address that paths count from; `None` if the document names none that can be called.
fn base(document: &Json) -> Result<String, String> {
    let server = document.pointer("/servers/0");
    let mut url = text(server.and_then(|server| server.get("url"))).unwrap_or_default();
    for (name, variable) in members(server.and_then(|server| server.get("variables"))) {
        let value = variable.get("default").and_then(Json::as_str).unwrap_or("CHANGE-ME");
        url = url.replace(&format!("{{{name}}}"), value);
    }
    let url = url.trim_end_matches('/');
    match url.split_once("://") {
        Some(_) => Ok(url.to_owned()),
        None => Err(format!(
            "https://api.example.com{}{url}",
            if url.is_empty() || url.starts_with('/') { "" } else { "/" }
        )),
    }
}

/// Headers and parameters that look like a key: place and name.
fn keys(document: &Json, calls: &[(&Json, &Json)]) -> Vec<(String, String)> {
    let mut made: Vec<(String, String)> = Vec::new();
    for (item, call) in calls {
        for parameter in parameters(document, item, call) {
            let place = matches!(parameter.place.as_str(), "query" | "header" | "cookie");
            let key = (parameter.place, parameter.name);
            if place && is_key(&key.1) && !made.contains(&key) {
                made.push(key);
            }
        }
    }
    made
}

/// Headers that nearly every call must carry are headers of the pack.
fn common(document: &Json, calls: &[(&Json, &Json)], draft: &mut Draft) {
    let mut counted: Vec<(String, usize)> = Vec::new();
    let mut all = Vec::new();
    for (item, call) in calls {
        for parameter in parameters(document, item, call) {
            if parameter.place != "header" || !parameter.required || is_own(&parameter.name) || is_key(&parameter.name)
            {
                continue;
            }
            match counted.iter_mut().find(|(name, _)| *name == parameter.name) {
                Some((_, count)) => *count += 1,
                None => {
                    counted.push((parameter.name.clone(), 1));
                    all.push(parameter);
                }
            }
        }
    }
    for parameter in &all {
        let count = counted.iter().find(|(name, _)| *name == parameter.name).map_or(0, |(_, count)| *count);
        if count > 1 && count * 3 >= calls.len() * 2 {
            let value = value(parameter, true, draft);
            draft.headers.push((parameter.name.clone(), value));
        }
    }
}

/// The good answer of a call.
fn good<'d>(document: &'d Json, call: &'d Json) -> Option<&'d Json> {
    let (_, answer) =
        members(call.get("responses")).find(|(status, _)| status.starts_with('2') || *status == "default")?;
    Some(resolved(document, answer))
}

/// The schema of a good answer in JSON.
pub(super) fn answer<'d>(document: &'d Json, call: &'d Json) -> Option<&'d Json> {
    let content = good(document, call)?.get("content")?;
    let (_, of) = members(Some(content)).find(|(kind, _)| kind.contains("json"))?;
    Some(resolved(document, of.get("schema")?))
}

/// What stands for the holes of a path: the records of another stream, or parameters of the pack.
#[derive(Default)]
struct Holes {
    parent: Option<String>,
    filled: Vec<Hole>,
    /// Fields that tell which parent a record is of.
    added: Vec<(String, Field)>,
}

fn holes(path: &str, own: &Shape, draft: &mut Draft) -> Option<Holes> {
    let all: Vec<&str> = path.split('/').filter(|part| part.starts_with('{') && part.ends_with('}')).collect();
    if path.matches('{').count() != all.len() {
        return None;
    }
    let Some(last) = all.last() else { return Some(Holes::default()) };
    let before = path.split(&format!("/{last}")).next().unwrap_or_default();
    let mut made = Holes::default();
    if let Some(parent) = draft.streams.iter().find(|stream| stream.template == before) {
        for hole in &all {
            let name = snake(hole);
            let named = parent.shape.fields.iter().find(|field| snake(&field.name) == name);
            let added = parent.added.iter().map(|(_, field)| field).find(|field| snake(&field.name) == name);
            let key = || {
                let key = parent.shape.key.as_ref().filter(|_| hole == last)?;
                parent.shape.fields.iter().find(|field| field.name == *key)
            };
            let field = named.or(added).or_else(key)?;
            let expression = format!("parent{}", member(&field.name));
            // `id` of the parent is `order_id` of its lines.
            let known_as = if snake(&field.name) == "id" && name == "id" {
                format!("{}_id", singular(&parent.name))
            } else if snake(&field.name) == "id" {
                hole.trim_matches(['{', '}']).to_owned()
            } else {
                field.name.clone()
            };
            let known = own.fields.iter().find(|field| snake(&field.name) == snake(&known_as));
            let here = known.map_or(known_as, |field| field.name.clone());
            if known.is_none() {
                let field = Field { name: here.clone(), names: Vec::new(), required: true, ..field.clone() };
                made.added.push((expression.clone(), field));
            }
            made.filled.push(Hole { text: (*hole).to_owned(), expression, field: Some(here) });
        }
        made.parent = Some(parent.name.clone());
        return Some(made);
    }
    // Nothing lists what belongs there: whoever uses the pack says it.
    for hole in &all {
        let name = snake(hole);
        if !draft.params.iter().any(|known| known.name == name) {
            let about = format!("What stands for `{hole}` in paths: no call of the document lists it.");
            draft.params.push(Param { name: name.clone(), about, ..Param::default() });
        }
        made.filled.push(Hole { text: (*hole).to_owned(), expression: format!("params.{name}"), field: None });
    }
    Some(made)
}

fn stream(document: &Json, path: &str, item: &Json, draft: &mut Draft) -> Option<Stream> {
    let call = item.get("get")?;
    let last = path.rsplit('/').find(|part| !part.is_empty())?;
    if last.starts_with('{') {
        return None;
    }
    let of = answer(document, call)?;
    let mut shape = Shape::of_schema(document, of, path)?;
    let holes = holes(path, &shape, draft)?;
    // What a record shares with all others of its parent identifies none.
    let shared = |name: &String| holes.filled.iter().any(|hole| snake(&hole.text) == snake(name));
    if shape.key.as_ref().is_some_and(shared) {
        shape.perhaps = shape.key.take();
    }
    if shape.perhaps.as_ref().is_some_and(shared) {
        shape.perhaps = None;
    }
    let mut rendered = path.to_owned();
    for hole in &holes.filled {
        rendered = rendered.replace(&hole.text, &format!("{{{{ {} }}}}", hole.expression));
    }
    let all = parameters(document, item, call);
    let query: Vec<(String, Json)> =
        all.iter().filter(|p| p.place == "query").map(|p| (p.name.clone(), p.schema.clone())).collect();
    let headers: Vec<String> = good(document, call)
        .map(|good| members(good.get("headers")).map(|(name, _)| name.clone()).collect())
        .unwrap_or_default();
    let guessed = paging::guess(document, &query, of, &headers, shape.key.as_deref());
    let mut spoken = guessed.as_ref().map(|paging| paging.parameters.clone()).unwrap_or_default();
    let free: Vec<_> = parameters(document, item, call).into_iter().filter(|p| !spoken.contains(&p.name)).collect();
    let since = since::guess(&free, &shape);
    spoken.extend(since.iter().filter(|since| since.sure).flat_map(|since| since.parameters.clone()));
    Some(Stream {
        name: named(path, last, holes.parent.as_deref(), draft),
        about: about(call),
        query: must(&all, "query", &spoken, draft),
        headers: must(&all, "header", &spoken, draft),
        path: rendered,
        template: path.to_owned(),
        shape,
        paging: guessed,
        parent: holes.parent,
        holes: holes.filled,
        added: holes.added,
        since,
        ways: Vec::new(),
    })
}

/// A name for a stream that no other one has.
fn named(path: &str, last: &str, parent: Option<&str>, draft: &Draft) -> String {
    let mut name = snake(last);
    if let Some(parent) = parent {
        name = format!("{}_{name}", singular(parent));
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name = format!("list_{name}");
    }
    while draft.streams.iter().any(|stream| stream.name == name) {
        let before = path.rsplit('/').filter(|part| !part.starts_with('{')).nth(1).map(snake).unwrap_or_default();
        name = if before.is_empty() || name.starts_with(&before) {
            format!("{name}_more")
        } else {
            format!("{before}_{name}")
        };
    }
    name
}

/// The sentence about a call.
pub(super) fn about(call: &Json) -> String {
    let said = text(call.get("summary")).or_else(|| text(call.get("description"))).unwrap_or_default();
    let line = one_line(said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default());
    let short: String = line.chars().take(160).collect();
    match short.trim().trim_end_matches('.') {
        "" => String::new(),
        short => format!("{short}."),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("{{", "{ {")
}

/// The text of a member.
pub(super) fn text(value: Option<&Json>) -> Option<String> {
    value.and_then(Json::as_str).map(str::to_owned)
}

/// A member in an expression.
pub(super) fn member(name: &str) -> String {
    match is_word(name) {
        true => format!(".{name}"),
        false => format!("['{name}']"),
    }
}
