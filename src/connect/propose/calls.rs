//! Calls of a description: their parameters, what must always be sent, their bodies, and operations made of them.

use serde_json::Value as Json;

use super::describe::{kind, members, resolved, snake};
use super::openapi::{about, text};
use super::paging::quoted;
use super::write::{Draft, Operation, Param};

/// A parameter of a call.
pub(super) struct Parameter {
    pub(super) place: String,
    pub(super) name: String,
    pub(super) schema: Json,
    pub(super) required: bool,
    /// What can be sent as it is.
    fixed: Option<String>,
    /// What it looks like.
    example: Option<String>,
    choices: Vec<String>,
    /// A list in one value with commas between.
    commas: bool,
}

/// The body of a request as it can be written.
pub(super) struct Body<'d> {
    /// The word of `body_as`.
    pub(super) form: &'static str,
    /// The media type, where it has to be said.
    pub(super) media: Option<String>,
    pub(super) schema: &'d Json,
    pub(super) required: bool,
}

/// The parameters of a call and of the path it stands under.
pub(super) fn parameters(document: &Json, item: &Json, call: &Json) -> Vec<Parameter> {
    let mut made: Vec<Parameter> = Vec::new();
    let lists = [call, item].into_iter().filter_map(|of| of.get("parameters")?.as_array());
    for parameter in lists.flatten().map(|parameter| resolved(document, parameter)) {
        let (Some(place), Some(name)) = (text(parameter.get("in")), text(parameter.get("name"))) else { continue };
        if made.iter().any(|known| known.place == place && known.name == name) {
            continue;
        }
        let schema = resolved(document, parameter.get("schema").unwrap_or(&Json::Null)).clone();
        let named = parameter.get("examples").and_then(|all| all.as_object()?.values().next()?.get("value"));
        let scalar = |value: &Json| match value {
            Json::String(text) => Some(text.clone()),
            Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        let words: Vec<String> =
            schema.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(scalar).collect();
        let fixed = [schema.get("const"), schema.get("default")].into_iter().flatten().find_map(scalar);
        let example = [parameter.get("example"), named, schema.get("example")].into_iter().flatten().find_map(scalar);
        made.push(Parameter {
            commas: parameter.get("explode") == Some(&Json::Bool(false)),
            required: parameter.get("required") == Some(&Json::Bool(true)),
            fixed: fixed.or_else(|| words.first().filter(|_| words.len() == 1).cloned()),
            example,
            choices: words,
            place,
            name,
            schema,
        });
    }
    made
}

/// Headers that the engine sets itself.
pub(super) fn is_own(name: &str) -> bool {
    ["authorization", "content-type", "contenttype", "accept", "user-agent", "host"]
        .iter()
        .any(|own| name.eq_ignore_ascii_case(own))
}

/// Whether a parameter of this name grants access.
pub(super) fn is_key(name: &str) -> bool {
    let name = snake(name);
    ["api_key", "apikey", "x_api_key", "auth_token", "access_token", "x_auth_token", "api_token", "subscription_key"]
        .iter()
        .any(|word| name == *word || name.ends_with(&format!("_{word}")))
}

/// What a call must carry beside what else is known: as it is, or as parameters of the pack.
pub(super) fn must(
    parameters: &[Parameter],
    place: &str,
    spoken: &[String],
    draft: &mut Draft,
) -> Vec<(String, String)> {
    let mut made = Vec::new();
    for parameter in parameters.iter().filter(|parameter| parameter.required && parameter.place == place) {
        let name = &parameter.name;
        let known = place == "header" && draft.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if known || spoken.contains(name) || place == "header" && is_own(name) || is_key(name) {
            continue;
        }
        made.push((name.clone(), value(parameter, false, draft)));
    }
    made
}

/// What is sent for a parameter: what the description fixes, or a parameter of the pack, which a connector must
/// give if every call wants it.
pub(super) fn value(parameter: &Parameter, always: bool, draft: &mut Draft) -> String {
    if let Some(fixed) = &parameter.fixed {
        return fixed.clone();
    }
    let name = snake(&parameter.name);
    if !draft.params.iter().any(|known| known.name == name) {
        draft.params.push(Param {
            name: name.clone(),
            about: match always {
                true => format!("What `{}` holds.", parameter.name),
                false => format!("What `{}` holds; not every call wants it.", parameter.name),
            },
            required: always,
            example: parameter.example.clone().or_else(|| parameter.choices.first().cloned()),
            choices: parameter.choices.clone(),
        });
    }
    format!("{{{{ params.{name} }}}}")
}

/// The body of a call, in the first form that can be written; an error if there is a body, and none can.
pub(super) fn body<'d>(document: &'d Json, call: &'d Json) -> Result<Option<Body<'d>>, String> {
    let Some(of) = call.get("requestBody").map(|of| resolved(document, of)) else { return Ok(None) };
    let required = of.get("required") == Some(&Json::Bool(true));
    let all: Vec<(&String, &Json)> = members(of.get("content")).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let schema = |of: &'d Json| resolved(document, of.get("schema").unwrap_or(&Json::Null));
    let plain = |media: &str| media.split(';').next().unwrap_or_default().trim().to_lowercase();
    let find = |fits: &dyn Fn(&str) -> bool| all.iter().find(|(media, _)| fits(&plain(media)));
    if let Some((_, of)) = find(&|media| media == "application/json" || media == "*/*") {
        return Ok(Some(Body { form: "json", media: None, schema: schema(of), required }));
    }
    if let Some((media, of)) =
        find(&|media| media.ends_with("+json") || media.contains("json") && !media.contains("seq"))
    {
        return Ok(Some(Body { form: "json", media: Some((*media).clone()), schema: schema(of), required }));
    }
    if let Some((_, of)) = find(&|media| media == "application/x-www-form-urlencoded") {
        return Ok(Some(Body { form: "form", media: None, schema: schema(of), required }));
    }
    if let Some((media, of)) = find(&|media| media.starts_with("text/") || media.ends_with("xml")) {
        return Ok(Some(Body { form: "text", media: Some((*media).clone()), schema: schema(of), required }));
    }
    Err(all.iter().map(|(media, _)| media.as_str()).collect::<Vec<_>>().join(", "))
}

/// An operation made of a call; an error with why if it cannot be said in a pack.
pub(super) fn operation(
    document: &Json,
    (path, method): (&str, &str),
    item: &Json,
    call: &Json,
    draft: &Draft,
) -> Result<Operation, String> {
    let all = parameters(document, item, call);
    let body = body(document, call)?;
    let mut lines = Vec::new();
    let about = about(call);
    if !about.is_empty() {
        lines.push(format!("about: {}", quoted(&about)));
    }
    let (mut input, mut query, mut headers) = (Vec::new(), Vec::new(), Vec::new());
    let mut rendered = path.to_owned();
    let typed = |schema: &Json| match kind(document, schema) {
        "int" => "int",
        "bool" => "bool",
        "decimal" => "decimal",
        "list" => "list",
        _ => "string",
    };
    for parameter in all.iter().filter(|parameter| !is_key(&parameter.name)) {
        let name = snake(&parameter.name);
        let required = if parameter.required { ", required: true" } else { "" };
        let of = typed(&parameter.schema);
        match parameter.place.as_str() {
            "path" => {
                rendered = rendered.replace(&format!("{{{}}}", parameter.name), &format!("{{{{ input.{name} }}}}"));
                input.push(format!("  {name}: {{ type: {of}, required: true }}"));
            }
            "query" => {
                input.push(format!("  {name}: {{ type: {of}{required} }}"));
                let value = match (of == "list" && parameter.commas, parameter.required) {
                    (true, true) => format!("{{{{ input.{name}.join(',') }}}}"),
                    (true, false) => format!("{{{{ has(input.{name}) ? input.{name}.join(',') : null }}}}"),
                    (false, true) => format!("{{{{ input.{name} }}}}"),
                    (false, false) => format!("{{{{ input.?{name}.orValue(null) }}}}"),
                };
                query.push((parameter.name.clone(), value));
            }
            "header" if parameter.required && !is_own(&parameter.name) => {
                let known = draft.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(&parameter.name));
                match &parameter.fixed {
                    _ if known => {}
                    Some(fixed) => headers.push((parameter.name.clone(), fixed.clone())),
                    None => {
                        input.push(format!("  {name}: {{ type: {of}{required} }}"));
                        headers.push((parameter.name.clone(), format!("{{{{ input.{name} }}}}")));
                    }
                }
            }
            _ => {}
        }
    }
    // A hole that no parameter speaks of.
    for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let (hole, name) = (format!("{{{part}}}"), snake(part));
        if rendered.contains(&hole) {
            rendered = rendered.replace(&hole, &format!("{{{{ input.{name} }}}}"));
            input.push(format!("  {name}: {{ type: string, required: true }}"));
        }
    }
    if let Some(body) = &body {
        let required = if body.required { ", required: true" } else { "" };
        let of = match (body.form, kind(document, body.schema)) {
            ("text", _) => "string",
            (_, "list") => "list",
            (_, "string") => "string",
            (_, "any") => "any",
            _ => "map",
        };
        input.push(format!("  body: {{ type: {of}{required} }}"));
        if let Some(media) = &body.media {
            headers.push(("Content-Type".into(), media.clone()));
        }
    }
    input.sort();
    input.dedup_by(|a, b| a.split(':').next() == b.split(':').next());
    if !input.is_empty() {
        lines.push("input:".into());
        lines.extend(input.iter().cloned());
    }
    if method != "get" {
        lines.push(format!("method: {}", method.to_uppercase()));
    }
    lines.push(format!("path: {}", quoted(&rendered)));
    for (key, list) in [("query", &query), ("headers", &headers)] {
        if !list.is_empty() {
            lines.push(format!("{key}:"));
            lines.extend(list.iter().map(|(name, value)| format!("  {}: {}", quoted(name), quoted(value))));
        }
    }
    if let Some(body) = &body {
        lines.push("body: \"{{ input.?body.orValue(null) }}\"".into());
        if body.form != "json" {
            lines.push(format!("body_as: {}", body.form));
        }
    }
    let by_path = || snake(&format!("{method} {path}"));
    let mut name =
        text(call.get("operationId")).map(|id| snake(&id)).filter(|id| !id.is_empty()).unwrap_or_else(by_path);
    while draft.operations.iter().any(|known| known.name == name) {
        name.push_str("_more");
    }
    let bare = method == "get" && !lines.iter().any(|line| line.contains("required: true"));
    Ok(Operation { name, lines, path: rendered, bare })
}
