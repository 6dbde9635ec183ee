//! From an OpenAPI 3 document: lists become streams, what changes their records becomes ways of writing,
//! everything else becomes operations.

use serde_json::Value as Json;

use super::describe::{Shape, kind, members, properties, resolved, singular, snake};
use super::paging::{self, quoted};
use super::write::{Draft, Operation, Stream, path_name};

/// Proposes a pack. `only`: the beginnings of the paths that are wanted; none: all.
///
/// # Errors
/// One sentence, if it is no OpenAPI 3 document or nothing of it can be used.
pub fn from_openapi(name: &str, document: &Json, only: &[String]) -> Result<String, String> {
    if !document.get("openapi").and_then(Json::as_str).is_some_and(|version| version.starts_with('3')) {
        return Err("it is no OpenAPI 3 document: `openapi: 3…` is missing".into());
    }
    let title = text(document.pointer("/info/title")).unwrap_or_else(|| name.to_owned());
    let mut draft = Draft {
        name: name.to_owned(),
        about: format!("{}.", one_line(&title).trim_end_matches('.')),
        base: base(document),
        origin: format!("the OpenAPI document \"{}\"", one_line(&title)),
        auth: auth(document),
        ..Draft::default()
    };
    let wanted = |path: &str| only.is_empty() || only.iter().any(|start| path.starts_with(start.as_str()));
    let paths: Vec<(&String, &Json)> = members(document.get("paths"))
        .filter(|(path, _)| wanted(path))
        .map(|(path, item)| (path, resolved(document, item)))
        .collect();
    // Lists first: what they are called is what single records are written by.
    let mut taken: Vec<(String, &str)> = Vec::new();
    let mut sorted = paths.clone();
    sorted.sort_by_key(|(path, _)| (path.matches('{').count(), path.len()));
    for (path, item) in &sorted {
        if let Some(stream) = stream(document, path, item, &paths, &mut draft) {
            taken.push(((*path).clone(), "get"));
            draft.streams.push(stream);
        }
    }
    for at in 0..draft.streams.len() {
        let mut stream = std::mem::take(&mut draft.streams[at]);
        ways(document, &mut stream, &paths, &mut draft, &mut taken);
        draft.streams[at] = stream;
    }
    for (path, item) in &paths {
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(call) = item.get(method).filter(|_| !taken.contains(&((*path).clone(), method))) else { continue };
            let made = operation(document, path, method, item, call, &mut draft);
            draft.operations.push(made);
        }
    }
    if draft.streams.is_empty() && draft.operations.is_empty() {
        return Err("there is nothing in it that could be called".into());
    }
    Ok(draft.yaml())
}

fn base(document: &Json) -> String {
    let server = document.pointer("/servers/0");
    let mut url =
        text(server.and_then(|server| server.get("url"))).unwrap_or_else(|| "https://CHANGE-ME.example.com".into());
    for (name, variable) in members(server.and_then(|server| server.get("variables"))) {
        url =
            url.replace(&format!("{{{name}}}"), variable.get("default").and_then(Json::as_str).unwrap_or("CHANGE-ME"));
    }
    if url.starts_with('/') {
        url = format!("https://CHANGE-ME.example.com{url}");
    }
    url.trim_end_matches('/').to_owned()
}

/// Lines of `auth`.
fn auth(document: &Json) -> Vec<String> {
    let schemes = document.pointer("/components/securitySchemes");
    let all: Vec<(&String, &Json)> =
        members(schemes).map(|(name, scheme)| (name, resolved(document, scheme))).collect();
    let of = |word: &str, key: &str| {
        all.iter().filter(|(_, scheme)| scheme.get(key).and_then(Json::as_str) == Some(word)).collect::<Vec<_>>()
    };
    let need =
        |name: &str, about: &str| format!("  {name}: {{ about: {}, secret: true, required: true }}", quoted(about));
    let keys = of("apiKey", "type");
    let bearer = of("bearer", "scheme");
    let basic = of("basic", "scheme");
    let oauth: Vec<(&str, &Json)> = all
        .iter()
        .filter_map(|(_, scheme)| scheme.get("flows"))
        .flat_map(|flows| {
            ["clientCredentials", "authorizationCode"].into_iter().filter_map(|flow| Some((flow, flows.get(flow)?)))
        })
        .collect();
    let mut lines = Vec::new();
    if !keys.is_empty() {
        lines.push("needs:".to_owned());
        let named: Vec<String> = keys.iter().map(|(name, _)| snake(name)).collect();
        lines.extend(named.iter().map(|name| need(name, "A key of the system.")));
        lines.extend(["ways:".to_owned(), "  key:".into(), "    kind: key".into(), "    send:".into()]);
        for ((_, scheme), name) in keys.iter().zip(&named) {
            let place = scheme.get("in").and_then(Json::as_str).unwrap_or("header");
            let at = text(scheme.get("name")).unwrap_or_default();
            lines.push(format!("      - {{ {place}: {}, value: \"{{{{ secrets.{name} }}}}\" }}", quoted(&at)));
        }
    } else if let Some((flow, of)) = oauth.first() {
        let url = |key: &str| {
            text(of.get(key))
                .filter(|url| url.contains("://"))
                .unwrap_or_else(|| "https://CHANGE-ME.example.com/token".into())
        };
        lines.extend([
            "needs:".to_owned(),
            "  client_id: { about: The client's id., secret: false, required: true }".into(),
        ]);
        lines.push(need("client_secret", "The client's secret."));
        lines.extend(["ways:".to_owned(), "  oauth:".into(), "    kind: oauth2".into()]);
        lines.push(format!(
            "    grant: {}",
            if *flow == "clientCredentials" { "client_credentials" } else { "authorization_code" }
        ));
        lines.push(format!("    token_url: {}", quoted(&url("tokenUrl"))));
        if *flow == "authorizationCode" {
            lines.push(format!("    authorize_url: {}", quoted(&url("authorizationUrl"))));
        }
        lines.push("    client_id: \"{{ secrets.client_id }}\"".into());
        lines.push("    client_secret: \"{{ secrets.client_secret }}\"".into());
        let scopes: Vec<&String> = members(of.get("scopes")).map(|(scope, _)| scope).collect();
        if !scopes.is_empty() {
            let all: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            lines.push(format!("    scope: {}   # guessed: all that there are", quoted(&all.join(" "))));
        }
    } else if !basic.is_empty() && bearer.is_empty() {
        lines
            .extend(["needs:".to_owned(), "  user: { about: The user's name., secret: false, required: true }".into()]);
        lines.push(need("password", "The password."));
        lines.extend([
            "ways:".to_owned(),
            "  basic: { kind: basic, user: \"{{ secrets.user }}\", password: \"{{ secrets.password }}\" }".into(),
        ]);
    } else if !all.is_empty() {
        lines.push("needs:".to_owned());
        lines.push(need("token", "A token of the system."));
        lines.extend(["ways:".to_owned(), "  token: { kind: bearer, token: \"{{ secrets.token }}\" }".into()]);
    }
    lines
}

/// The parameters of a call: place, name, schema, whether it must be given, an example.
struct Parameter {
    place: String,
    name: String,
    schema: Json,
    required: bool,
    example: Option<String>,
}

fn parameters(document: &Json, item: &Json, call: &Json) -> Vec<Parameter> {
    let mut made: Vec<Parameter> = Vec::new();
    let lists = [call, item].into_iter().filter_map(|of| of.get("parameters")?.as_array());
    for parameter in lists.flatten().map(|parameter| resolved(document, parameter)) {
        let (Some(place), Some(name)) = (text(parameter.get("in")), text(parameter.get("name"))) else { continue };
        if made.iter().any(|known| known.place == place && known.name == name) {
            continue;
        }
        let schema = resolved(document, parameter.get("schema").unwrap_or(&Json::Null)).clone();
        let named = parameter.get("examples").and_then(|all| all.as_object()?.values().next()?.get("value"));
        let example = [
            parameter.get("example"),
            schema.get("default"),
            schema.get("example"),
            named,
            schema.get("enum").and_then(|all| all.get(0)),
        ]
        .into_iter()
        .flatten()
        .find(|value| value.is_string() || value.is_number() || value.is_boolean())
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        made.push(Parameter {
            place,
            name,
            schema,
            required: parameter.get("required") == Some(&Json::Bool(true)),
            example,
        });
    }
    made
}

/// What a call must carry beside what else is known: as literal texts, or as parameters of the pack.
fn must(parameters: &[Parameter], place: &str, spoken: &[String], draft: &mut Draft) -> Vec<(String, String)> {
    let mut made = Vec::new();
    for parameter in parameters.iter().filter(|parameter| parameter.required && parameter.place == place) {
        let lower = parameter.name.to_lowercase();
        if spoken.contains(&parameter.name) || matches!(lower.as_str(), "authorization" | "content-type" | "accept") {
            continue;
        }
        let name = snake(&parameter.name);
        let secretive = lower.contains("account") || lower.contains("tenant") || lower.contains("organi");
        match &parameter.example {
            Some(example) if !secretive && !lower.contains("id") => {
                made.push((parameter.name.clone(), example.clone()))
            }
            example => {
                if !draft.params.iter().any(|(known, _, _)| *known == name) {
                    let about = format!("What `{}` holds.", parameter.name);
                    draft.params.push((name.clone(), about, example.clone()));
                }
                made.push((parameter.name.clone(), format!("{{{{ params.{name} }}}}")));
            }
        }
    }
    made
}

/// The schema of a good answer in JSON.
fn answer<'d>(document: &'d Json, call: &'d Json) -> Option<&'d Json> {
    let (_, answer) =
        members(call.get("responses")).find(|(status, _)| status.starts_with('2') || *status == "default")?;
    schema(document, resolved(document, answer).get("content")?)
}

fn schema<'d>(document: &'d Json, content: &'d Json) -> Option<&'d Json> {
    let (_, of) = members(Some(content)).find(|(kind, _)| kind.contains("json"))?;
    Some(resolved(document, of.get("schema")?))
}

fn stream(document: &Json, path: &str, item: &Json, paths: &[(&String, &Json)], draft: &mut Draft) -> Option<Stream> {
    let call = item.get("get")?;
    let last = path.rsplit('/').find(|part| !part.is_empty())?;
    if last.starts_with('{') {
        return None;
    }
    let of = answer(document, call)?;
    let shape = Shape::of_schema(document, of, last)?;
    // What hangs on a parent can only be read if the parent is a stream, and there is one of them.
    let holes: Vec<&str> = path.split('/').filter(|part| part.starts_with('{')).collect();
    let (mut parent, mut rendered) = (None, path.to_owned());
    if let [hole] = holes.as_slice() {
        let before = path.split(&format!("/{hole}")).next().unwrap_or_default();
        let known = draft.streams.iter().find(|stream| stream.path == before)?;
        let key = known.shape.key.clone()?;
        parent = Some(known.name.clone());
        rendered = path.replace(hole, &format!("{{{{ parent{} }}}}", member(&key)));
    } else if !holes.is_empty() {
        return None;
    }
    let all = parameters(document, item, call);
    let query: Vec<(String, Json)> =
        all.iter().filter(|p| p.place == "query").map(|p| (p.name.clone(), p.schema.clone())).collect();
    let guessed = paging::guess(document, &query, of);
    let spoken = guessed.as_ref().map(|paging| paging.parameters.clone()).unwrap_or_default();
    let mut name = snake(last);
    if let Some(parent) = &parent {
        name = format!("{}_{name}", singular(parent));
    }
    while draft.streams.iter().any(|stream| stream.name == name) {
        let before = path.rsplit('/').filter(|part| !part.starts_with('{')).nth(1).map(snake).unwrap_or_default();
        name = if before.is_empty() || name.starts_with(&before) {
            format!("{name}_more")
        } else {
            format!("{before}_{name}")
        };
    }
    let since = all.iter().filter(|p| {
        let name = snake(&p.name);
        ["since", "modified", "updated", "oldest", "from_", "created", "start_time"]
            .iter()
            .any(|word| name.contains(word))
    });
    let field = shape.fields.iter().find(|f| {
        let name = snake(&f.name);
        f.kind == "timestamp" || ["updated", "modified", "created"].iter().any(|word| name.contains(word))
    });
    let hints = since
        .map(|p| {
            let field = field.map_or("WHICH-FIELD", |field| field.name.as_str());
            format!(
                "cursor: {{ field: {field}, send: {{ {}: {} }} }}   # guessed: does it tell what is new?",
                p.place,
                quoted(&p.name)
            )
        })
        .take(1)
        .collect();
    let _ = paths;
    Some(Stream {
        name,
        about: about(call),
        query: must(&all, "query", &spoken, draft),
        headers: must(&all, "header", &spoken, draft),
        path: rendered,
        shape,
        paging: guessed,
        parent,
        hints,
        ways: Vec::new(),
    })
}

fn ways<'d>(
    document: &Json,
    stream: &mut Stream,
    paths: &[(&'d String, &'d Json)],
    draft: &mut Draft,
    taken: &mut Vec<(String, &'static str)>,
) {
    if stream.parent.is_some() {
        return;
    }
    let Some((path, item)) = paths.iter().find(|(path, _)| **path == stream.path) else { return };
    let single = paths.iter().find(|(other, _)| {
        other
            .strip_prefix(path.as_str())
            .and_then(|rest| rest.strip_prefix("/{"))
            .is_some_and(|rest| rest.ends_with('}') && !rest.contains('/'))
    });
    let mut way = |name: &str, method: &'static str, path: &str, item: &Json, keyed: bool, draft: &mut Draft| -> bool {
        let Some(call) = item.get(method) else { return false };
        let body = call.get("requestBody").map(|body| resolved(document, body));
        let body = match body.and_then(|body| schema(document, body.get("content")?)) {
            Some(of) => Some(wrapped(document, of, stream)),
            None if method == "delete" => None,
            None => return false,
        };
        let mut lines = vec![format!("method: {}", method.to_uppercase())];
        match (keyed, &stream.shape.key) {
            (true, Some(key)) => {
                let hole = path.rsplit('/').next().unwrap_or_default();
                lines.push(format!(
                    "path: {}",
                    quoted(&path.replace(hole, &format!("{{{{ record{} }}}}", member(key))))
                ));
                if body.is_some() {
                    lines.push(format!("apart: [{}]", quoted(&path_name(key))));
                }
            }
            (true, None) => return false,
            (false, _) => lines.push(format!("path: {}", quoted(path))),
        }
        let all = parameters(document, item, call);
        for place in ["query", "header"] {
            let list = must(&all, place, &[], draft);
            if !list.is_empty() {
                lines.push(format!("{}:", if place == "header" { "headers" } else { place }));
                lines.extend(list.iter().map(|(name, value)| format!("  {}: {}", quoted(name), quoted(value))));
            }
        }
        lines.extend(body);
        stream.ways.push((name.to_owned(), lines));
        true
    };
    let post = way("create", "post", path, item, false, draft);
    if post {
        taken.push(((*path).clone(), "post"));
    }
    if let Some((path, item)) = single {
        let method = if item.get("patch").is_some() { "patch" } else { "put" };
        for (name, method) in [("update", method), ("delete", "delete")] {
            if way(name, method, path, item, true, draft) {
                taken.push(((*path).clone(), method));
            }
        }
    }
}

/// The body of a request that writes: the fields of the record, or a list in which it stands.
fn wrapped(document: &Json, of: &Json, stream: &Stream) -> String {
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

fn operation(document: &Json, path: &str, method: &str, item: &Json, call: &Json, draft: &mut Draft) -> Operation {
    let all = parameters(document, item, call);
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
        _ => "string",
    };
    for parameter in &all {
        let name = snake(&parameter.name);
        if parameter.place == "header" && !parameter.required
            || matches!(parameter.name.to_lowercase().as_str(), "authorization" | "content-type" | "accept")
        {
            continue;
        }
        match parameter.place.as_str() {
            "path" => {
                rendered = rendered.replace(&format!("{{{}}}", parameter.name), &format!("{{{{ input.{name} }}}}"));
                input.push(format!("  {name}: {{ type: {}, required: true }}", typed(&parameter.schema)));
            }
            "query" => {
                let required = if parameter.required { ", required: true" } else { "" };
                input.push(format!(
                    "  {name}: {{ type: {}{required} }}",
                    if kind(document, &parameter.schema) == "list" { "list" } else { typed(&parameter.schema) }
                ));
                let value = if parameter.required {
                    format!("{{{{ input.{name} }}}}")
                } else {
                    format!("{{{{ input.?{name}.orValue(null) }}}}")
                };
                query.push((parameter.name.clone(), value));
            }
            _ => {}
        }
    }
    headers.extend(must(&all, "header", &[], draft));
    let body = call.get("requestBody").map(|body| resolved(document, body));
    if let Some(body) = body.filter(|body| body.get("content").is_some()) {
        let required = if body.get("required") == Some(&Json::Bool(true)) { ", required: true" } else { "" };
        let of = body.get("content").and_then(|content| schema(document, content));
        let kind = of.map_or("any", |of| if kind(document, of) == "list" { "list" } else { "map" });
        input.push(format!("  body: {{ type: {kind}{required} }}"));
    }
    input.sort();
    input.dedup();
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
    if input.iter().any(|line| line.starts_with("  body:")) {
        lines.push("body: \"{{ input.?body.orValue(null) }}\"".into());
    }
    let wanted = text(call.get("operationId")).map_or_else(|| snake(&format!("{method} {path}")), |id| snake(&id));
    let mut name = if wanted.is_empty() { snake(&format!("{method} {path}")) } else { wanted };
    while draft.operations.iter().any(|known| known.name == name) {
        name.push_str("_more");
    }
    Operation { name, lines }
}

fn about(call: &Json) -> String {
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

fn text(value: Option<&Json>) -> Option<String> {
    value.and_then(Json::as_str).map(str::to_owned)
}

/// A member in an expression.
fn member(name: &str) -> String {
    match name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        true => format!(".{name}"),
        false => format!("['{name}']"),
    }
}
