//! A server that knows an API only from its vendor's OpenAPI description: it checks every request
//! against it (path, method, parameters, credentials, body) and answers with what the description
//! gives as an example. What does not fit is answered with 422 and remembered.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use crate::support::repository;

/// The server; it ends with the process.
pub struct Described {
    /// Its address, without a path.
    pub address: String,
    seen: Arc<Mutex<Seen>>,
}

/// What was asked.
#[derive(Default)]
struct Seen {
    violations: Vec<String>,
    /// `get /models`.
    operations: BTreeSet<String>,
    /// `GET /models?limit=5`.
    requests: Vec<String>,
}

struct Description {
    root: Value,
    /// What stands before paths in addresses of its servers.
    prefix: String,
}

/// A request as it came.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    /// The query as it came.
    query_text: String,
    pub(super) query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Described {
    /// Serves the descriptions of these names from `tests/fixtures/openapi`.
    pub fn start(names: &[&str]) -> Self {
        let descriptions: Vec<Description> = names.iter().map(|name| Description::read(name)).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (descriptions, shared) = (Arc::new(descriptions), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (descriptions, seen) = (Arc::clone(&descriptions), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &descriptions, &seen));
            }
        });
        Self { address, seen }
    }

    /// What did not fit the descriptions.
    pub fn violations(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").violations.clone()
    }

    /// Every request: `GET /models?limit=5`.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").requests.clone()
    }

    /// The operations that were asked for: `get /models`.
    pub fn operations(&self) -> BTreeSet<String> {
        self.seen.lock().expect("no panic").operations.clone()
    }
}

fn path_and(parts: Option<(&str, &str)>) -> String {
    parts.map(|(_, query)| format!("?{query}")).unwrap_or_default()
}

/// Answers the requests of one connection.
fn serve(stream: TcpStream, descriptions: &[Description], seen: &Mutex<Seen>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let asked = Asked::read(&mut reader)?;
        let shown = format!("{} {}", asked.method, asked.path);
        seen.lock().ok()?.requests.push(format!("{shown}{}", asked.query_text));
        let found = descriptions.iter().find_map(|one| one.operation(&asked).map(|(name, op)| (one, name, op)));
        let (status, kind, body) = match found {
            None => {
                seen.lock().ok()?.violations.push(format!("{shown}: there is no such operation"));
                (404, "application/json".to_owned(), b"{\"error\":{\"message\":\"no such operation\"}}".to_vec())
            }
            Some((description, name, (item, operation))) => {
                let wrong = description.violations(&asked, &name, item, operation);
                let mut seen = seen.lock().ok()?;
                seen.operations.insert(format!("{} {name}", asked.method.to_lowercase()));
                if wrong.is_empty() {
                    description.answer(&asked, item, operation)
                } else {
                    let text = wrong.join("; ");
                    seen.violations.push(format!("{shown}: {text}"));
                    (
                        422,
                        "application/json".to_owned(),
                        json!({ "error": { "message": text } }).to_string().into_bytes(),
                    )
                }
            }
        };
        write!(stream, "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len()).ok()?;
        stream.write_all(&body).ok()?;
    }
}

impl Asked {
    pub(super) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
                None => break,
            }
        }
        let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let mut body = Vec::new();
        if header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).ok()?;
                let size = u64::from_str_radix(line.trim(), 16).ok()?;
                reader.take(size).read_to_end(&mut body).ok()?;
                reader.read_line(&mut line).ok()?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = header("content-length").and_then(|length| length.parse().ok()) {
            reader.take(length).read_to_end(&mut body).ok()?;
        }
        if header("content-encoding") == Some("gzip") {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut plain).ok()?;
            body = plain;
        }
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let query_text = path_and(target.split_once('?'));
        Some(Self { method, path: path.to_owned(), query_text, query, headers, body })
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl Description {
    fn read(name: &str) -> Self {
        let path = repository().join("tests/fixtures/openapi").join(format!("{name}.json"));
        let mut root: Value = serde_json::from_slice(&std::fs::read(path).expect("the description")).expect("JSON");
        let old = root["openapi"].as_str().is_some_and(|version| version.starts_with("3.0"));
        if old {
            modern(&mut root);
        }
        let server = root["servers"][0]["url"].as_str().unwrap_or_default();
        let behind = server.split_once("://").map_or(server, |(_, rest)| rest);
        let prefix = behind.find('/').map_or("", |at| &behind[at..]).trim_end_matches('/').to_owned();
        Self { root, prefix }
    }

    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str().and_then(|pointer| self.root.pointer(pointer.trim_start_matches('#'))) {
            Some(found) => self.resolved(found),
            None => value,
        }
    }

    /// The template of the path, its item and the operation.
    fn operation(&self, asked: &Asked) -> Option<(String, (&Value, &Value))> {
        let path = asked.path.strip_prefix(self.prefix.as_str())?;
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let wanted: Vec<&str> = template.split('/').collect();
            let pairs = || wanted.iter().zip(&parts);
            wanted.len() == parts.len()
                && pairs().all(|(wanted, part)| wanted == part || (wanted.starts_with('{') && !part.is_empty()))
        };
        let paths = self.root["paths"].as_object()?;
        // A path that is written out comes before one with holes.
        let mut found: Vec<(&String, &Value)> = paths.iter().filter(|(template, _)| fits(template)).collect();
        found.sort_by_key(|(template, _)| template.matches('{').count());
        let (template, item) = found.first()?;
        let operation = item.get(asked.method.to_lowercase())?;
        Some(((*template).clone(), (item, operation)))
    }

    fn parameters<'v>(&'v self, item: &'v Value, operation: &'v Value) -> Vec<&'v Value> {
        let all = [&item["parameters"], &operation["parameters"]];
        all.into_iter().filter_map(|list| list.as_array()).flatten().map(|one| self.resolved(one)).collect()
    }

    fn violations(&self, asked: &Asked, template: &str, item: &Value, operation: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let parameters = self.parameters(item, operation);
        // The Australian standard numbers each operation and says the number beside it.
        if let Some(version) = operation["x-version"].as_str().filter(|version| asked.header("x-v") != Some(*version)) {
            wrong.push(format!("version {version} is described, and `x-v` is {:?}", asked.header("x-v")));
        }
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            let values: Vec<String> = match parameter["in"].as_str() {
                Some("query") => {
                    let plain = |known: &str| known.trim_end_matches("[]") == name.trim_end_matches("[]");
                    let deep = |known: &str| known.starts_with(&format!("{name}["));
                    asked
                        .query
                        .iter()
                        .filter(|(known, _)| plain(known) || deep(known))
                        .map(|(_, v)| v.clone())
                        .collect()
                }
                Some("header") => asked.header(name).map(str::to_owned).into_iter().collect(),
                Some("path") => {
                    let path = &asked.path[self.prefix.len()..];
                    let hole = format!("{{{name}}}");
                    let at = template.split('/').position(|part| part == hole);
                    at.and_then(|at| path.split('/').nth(at)).map(str::to_owned).into_iter().collect()
                }
                _ => continue,
            };
            if values.is_empty() && parameter["required"] == json!(true) {
                wrong.push(format!("the parameter `{name}` is missing"));
            }
            if parameter["style"] == "deepObject" {
                continue;
            }
            let schema = self.resolved(&parameter["schema"]);
            let element = if schema["type"] == "array" { &schema["items"] } else { &parameter["schema"] };
            for value in values.iter().flat_map(|value| match schema["type"] == "array" {
                true => value.split(',').collect::<Vec<_>>(),
                false => vec![value.as_str()],
            }) {
                // What stands in an address is text; it may be read as the type that is wanted.
                let read = serde_json::from_str::<Value>(value).ok().filter(|value| !value.is_string());
                let as_text = json!(value);
                if self.unfit(element, &as_text).is_some()
                    && read.as_ref().is_none_or(|read| self.unfit(element, read).is_some())
                {
                    wrong.push(format!("the parameter `{name}` cannot be `{value}`"));
                }
            }
        }
        for (name, _) in &asked.query {
            let base = name.split('[').next().unwrap_or(name);
            let known = parameters.iter().any(|parameter| {
                let known = parameter["name"].as_str().unwrap_or_default();
                known == name || known.trim_end_matches("[]") == base || known == base
            });
            if !known {
                wrong.push(format!("there is no parameter `{name}`"));
            }
        }
        wrong.extend(self.unsigned(asked, operation));
        if let Some(body) = operation.get("requestBody").map(|body| self.resolved(body)) {
            let kind = asked.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
            match (asked.body.is_empty(), body["content"].get(kind)) {
                (true, _) if body["required"] == json!(true) => wrong.push("the body is missing".into()),
                (true, _) => {}
                (false, None) => wrong.push(format!("the body is `{kind}`, which is not described")),
                (false, Some(media)) if kind.ends_with("json") => match serde_json::from_slice(&asked.body) {
                    Ok(value) => wrong.extend(self.unfit(&media["schema"], &value)),
                    Err(error) => wrong.push(format!("the body is no JSON: {error}")),
                },
                _ => {}
            }
        } else if !asked.body.is_empty() {
            wrong.push("there is a body, and none is described".into());
        }
        wrong
    }

    /// What is missing of the credentials of every way that is described.
    fn unsigned(&self, asked: &Asked, operation: &Value) -> Option<String> {
        let ways = operation.get("security").unwrap_or(&self.root["security"]).as_array()?;
        let lacking = |way: &Map<String, Value>| {
            let lacks = |name: &&String| {
                let scheme = &self.root["components"]["securitySchemes"][name.as_str()];
                let present = match (scheme["type"].as_str(), scheme["in"].as_str()) {
                    (Some("apiKey"), Some("header")) => {
                        scheme["name"].as_str().and_then(|name| asked.header(name)).is_some()
                    }
                    (Some("apiKey"), Some("query")) => {
                        asked.query.iter().any(|(known, _)| Some(known.as_str()) == scheme["name"].as_str())
                    }
                    (Some("http"), _) if scheme["scheme"] == "basic" => {
                        asked.header("authorization").is_some_and(|value| value.starts_with("Basic "))
                    }
                    _ => asked
                        .header("authorization")
                        .is_some_and(|value| value.len() > "Bearer ".len() && value.starts_with("Bearer ")),
                };
                !present
            };
            way.keys().find(lacks).cloned()
        };
        let mut missing = ways.iter().filter_map(Value::as_object).map(lacking).collect::<Vec<_>>();
        (!missing.is_empty() && missing.iter().all(Option::is_some))
            .then(|| format!("the credentials `{}` are missing", missing.remove(0).unwrap_or_default()))
    }

    /// Why a value does not fit a schema of this description.
    fn unfit(&self, schema: &Value, value: &Value) -> Option<String> {
        let whole = json!({ "allOf": [schema], "components": self.root["components"] });
        let validator = jsonschema::validator_for(&whole).expect("the schema can be used");
        let first = validator.iter_errors(value).next();
        first.map(|error| format!("at `{}`: {error}", error.instance_path()))
    }

    /// The first good answer of an operation.
    fn answer(&self, asked: &Asked, item: &Value, operation: &Value) -> (u16, String, Vec<u8>) {
        let responses = operation["responses"].as_object().expect("answers");
        let (status, response) = responses.iter().next().expect("an answer");
        let response = self.resolved(response);
        let status = status.parse().unwrap_or(200);
        let Some((kind, media)) = response["content"].as_object().and_then(|content| content.iter().next()) else {
            return (status, "text/plain".to_owned(), Vec::new());
        };
        let mut sample = media.get("example").cloned().unwrap_or_else(|| self.sample(&media["schema"], 0));
        // There is one page of everything …
        if let Some(page) = sample.pointer_mut("/meta/page").and_then(Value::as_object_mut) {
            page.remove("after");
        }
        // … or, where pages have numbers, a second one: full where answers lead to it, empty where they do not.
        let numbered = self.parameters(item, operation).iter().any(|one| one["in"] == "query" && one["name"] == "page");
        let given = |name: &str| asked.query.iter().find(|(known, _)| known == name).and_then(|(_, v)| v.parse().ok());
        let (number, skipped) = (given("page").unwrap_or(1_u64), given("offset").unwrap_or(0_u64));
        let next = (numbered && number < 2).then(|| {
            let host = asked.header("host").unwrap_or_default();
            let others = asked.query.iter().filter(|(name, _)| name != "page");
            let others: String = others.map(|(name, value)| format!("&{name}={value}")).collect();
            format!("http://{host}{}?page=2{others}", asked.path)
        });
        let leads = paged(&mut sample, next.as_deref(), if numbered { 2 } else { 1 });
        if !leads && (numbered && number > 1 || skipped > 0) {
            emptied(&mut sample, 0);
        }
        if numbered && number > 1 {
            others(&mut sample, number);
        }
        (status, kind.clone(), if kind.contains("json") { sample.to_string() } else { String::new() }.into_bytes())
    }

    /// A value that fits a schema.
    fn sample(&self, schema: &Value, depth: usize) -> Value {
        let schema = self.resolved(schema);
        if let Some(example) = schema.get("example").filter(|example| !example.is_null()) {
            return example.clone();
        }
        if let Some(first) = schema.get("const").or_else(|| schema["enum"].get(0)) {
            return first.clone();
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(first) = schema[choice].get(0) {
                return self.sample(first, depth + 1);
            }
        }
        let mut made = Map::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            match self.sample(part, depth + 1) {
                Value::Object(more) => made.extend(more),
                simple if schema["properties"].is_null() => return simple,
                _ => {}
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        match kind {
            Some("array") if depth > 8 => json!([]),
            Some("array") => json!([self.sample(&schema["items"], depth + 1)]),
            Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1_700_000_000)),
            Some("number") => json!(1.5),
            Some("boolean") => json!(false),
            Some("string") => match schema["format"].as_str() {
                Some("date-time") => json!("2026-01-02T03:04:05Z"),
                Some("date") => json!("2026-01-02"),
                Some("uri") => json!("https://example.com/text"),
                Some("uuid") => json!("11111111-2222-4333-8444-555555555555"),
                Some("email") => json!("ann@example.com"),
                _ => json!("text"),
            },
            Some("null") => Value::Null,
            _ => {
                for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                    // What went wrong, under an answer that nothing went wrong with.
                    if depth >= 8 || name == "errors" {
                        continue;
                    }
                    // Moments that are described as plain text.
                    let moment = ["DateTime", "lastUpdated"].iter().any(|end| name.ends_with(end));
                    let made_up = match self.sample(inner, depth + 1) {
                        Value::String(text) if moment && text == "text" => json!("2026-01-02T03:04:05Z"),
                        other => other,
                    };
                    made.insert(name.clone(), made_up);
                }
                Value::Object(made)
            }
        }
    }
}

/// Puts the address of the next page where answers have it, and counts that are true; whether there is such a place.
fn paged(value: &mut Value, next: Option<&str>, pages: u64) -> bool {
    let Value::Object(members) = value else { return false };
    let mut leads = false;
    for (name, below) in members.iter_mut() {
        match name.to_lowercase().as_str() {
            "links" if below.is_object() => {
                let Value::Object(links) = below else { continue };
                leads = true;
                let key = links.keys().find(|key| key.eq_ignore_ascii_case("next")).cloned();
                match (key, next) {
                    (Some(key), Some(next)) => drop(links.insert(key, json!(next))),
                    (Some(key), None) => drop(links.remove(&key)),
                    _ => {}
                }
            }
            "meta" => leads |= paged(below, None, pages),
            "totalrecords" | "totalpages" => *below = json!(pages),
            "pagination" => *below = json!({ "page": 1, "pageSize": 1, "pageCount": 1, "itemCount": 1 }),
            _ => {}
        }
    }
    leads
}

/// Other records: what is named like an id is another one.
fn others(value: &mut Value, number: u64) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| others(item, number)),
        Value::Object(members) => {
            for (name, below) in members {
                match below {
                    Value::String(text) if name.to_lowercase().ends_with("id") => *text = format!("{text}-{number}"),
                    below => others(below, number),
                }
            }
        }
        _ => {}
    }
}

/// The same without any records.
fn emptied(value: &mut Value, depth: usize) {
    match value {
        Value::Array(items) => items.clear(),
        Value::Object(members) if depth < 2 => members.values_mut().for_each(|below| emptied(below, depth + 1)),
        _ => {}
    }
}

/// `nullable` and exclusive bounds of OpenAPI 3.0 as JSON Schema has them.
fn modern(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.remove("nullable") == Some(json!(true)) {
                if let Some(Value::String(kind)) = map.get("type").cloned() {
                    map.insert("type".into(), json!([kind, "null"]));
                }
                if let Some(Value::Array(choices)) = map.get_mut("enum") {
                    choices.push(Value::Null);
                }
            }
            for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
                if map.get(exclusive).is_some_and(Value::is_boolean) {
                    let is = map.remove(exclusive) == Some(json!(true));
                    if let Some(bound) = is.then(|| map.remove(bound)).flatten() {
                        map.insert(exclusive.into(), bound);
                    }
                }
            }
            map.values_mut().for_each(modern);
        }
        Value::Array(items) => items.iter_mut().for_each(modern),
        _ => {}
    }
}

#[test]
fn what_does_not_fit_the_description_is_found() {
    let server = Described::start(&["datadog-v1", "datadog-v2"]);
    let call = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let mut stream = TcpStream::connect(server.address.trim_start_matches("http://")).expect("the server");
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", body.len());
        headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
        write!(stream, "{text}\r\n{body}").expect("sent");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("answered");
        line.split(' ').nth(1).expect("a status").to_owned()
    };
    let keys = [("dd-api-key", "k"), ("dd-application-key", "a"), ("content-type", "application/json")];
    let series = r#"{"series":[{"metric":"a","type":3,"points":[{"timestamp":1700000000,"value":1}]}]}"#;
    assert_eq!(call("POST", "/api/v2/series", &keys, series), "202");
    assert_eq!(call("GET", "/api/v1/monitor?page=0&page_size=10", &keys, ""), "200");
    assert!(server.violations().is_empty(), "{:?}", server.violations());
    assert_eq!(call("POST", "/api/v2/series", &keys, r#"{"series":[{"metric":"a"}]}"#), "422");
    assert_eq!(call("POST", "/api/v2/series", &keys[1..], series), "422");
    assert_eq!(call("GET", "/api/v1/monitor?page=x", &keys, ""), "422");
    assert_eq!(call("GET", "/api/v1/monitor?seite=1", &keys, ""), "422");
    assert_eq!(call("GET", "/api/v1/nothing", &keys, ""), "404");
    assert_eq!(server.violations().len(), 5, "{:#?}", server.violations());
    assert!(server.operations().contains("post /api/v2/series"));
}
