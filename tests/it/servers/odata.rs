//! An OData service that knows its data only from the metadata which the vendor publishes (CSDL): entity sets,
//! types with what they inherit, properties, functions. What is asked beyond them is answered with 400 and
//! remembered. Tokens are given to whoever asks for one as a client.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use regex::Regex;
use serde_json::{Map, Value, json};

use super::openapi::Asked;
use crate::support::repository;

/// The service; it ends with the process.
pub struct Metadata {
    /// Its address, without a path.
    pub address: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    violations: Vec<String>,
    /// `GET /users/delta`.
    asked: BTreeSet<String>,
}

/// A type: what it inherits from, its properties with their types, what it leads to.
#[derive(Default)]
struct Kind {
    base: Option<String>,
    properties: BTreeMap<String, String>,
    leads: BTreeMap<String, String>,
}

struct Model {
    kinds: BTreeMap<String, Kind>,
    /// Entity sets with their types.
    sets: BTreeMap<String, String>,
    /// Types whose sets tell what changed.
    deltas: BTreeSet<String>,
}

/// The last name of a type: `Collection(graph.user)` is `user`.
fn plain(kind: &str) -> String {
    kind.trim_end_matches(')').rsplit(['.', '(']).next().unwrap_or_default().to_owned()
}

impl Model {
    fn read(name: &str) -> Self {
        let file = repository().join("tests/fixtures/odata").join(format!("{name}.xml"));
        let text = std::fs::read_to_string(file).expect("metadata");
        let attribute = |tag: &str, name: &str| {
            let pattern = Regex::new(&format!(r#"\b{name}="([^"]*)""#)).expect("a pattern");
            pattern.captures(tag).map(|found| found[1].to_owned())
        };
        let mut kinds = BTreeMap::new();
        let tags = Regex::new("<(Navigation)?Property [^>]*>").expect("a pattern");
        for found in Regex::new(r"(?s)(<EntityType [^>]*>)(.*?)</EntityType>").expect("a pattern").captures_iter(&text)
        {
            let mut kind = Kind { base: attribute(&found[1], "BaseType").map(|base| plain(&base)), ..Kind::default() };
            for tag in tags.find_iter(&found[2]) {
                let pair = (
                    attribute(tag.as_str(), "Name").expect("a name"),
                    attribute(tag.as_str(), "Type").expect("a type"),
                );
                match tag.as_str().starts_with("<Nav") {
                    true => kind.leads.insert(pair.0, plain(&pair.1)),
                    false => kind.properties.insert(pair.0, pair.1),
                };
            }
            kinds.insert(attribute(&found[1], "Name").expect("a name"), kind);
        }
        let sets = Regex::new("<EntitySet [^>]*>").expect("a pattern");
        let sets = sets.find_iter(&text).map(|tag| {
            let of = attribute(tag.as_str(), "EntityType").expect("a type");
            (attribute(tag.as_str(), "Name").expect("a name"), plain(&of))
        });
        let deltas = Regex::new(r#"(?s)<Function Name="delta".*?Collection\(([^)]*)\)"#).expect("a pattern");
        let deltas = deltas.captures_iter(&text).map(|found| plain(&found[1])).collect();
        Self { kinds, sets: sets.collect(), deltas }
    }

    /// The type of a property, inherited ones included.
    fn property(&self, kind: &str, name: &str) -> Option<&str> {
        let of = self.kinds.get(kind)?;
        let own = of.properties.get(name).map(String::as_str);
        own.or_else(|| self.property(of.base.as_deref()?, name))
    }

    /// The type that a path leads to, and whether it is one entity.
    fn walked(&self, path: &str) -> Result<(String, bool), String> {
        let mut parts = path.trim_start_matches('/').split('/');
        let set = parts.next().unwrap_or_default();
        let mut kind = self.sets.get(set).ok_or_else(|| format!("there is no entity set `{set}`"))?.clone();
        let mut one = false;
        for part in parts {
            (kind, one) = match (one, part) {
                (false, "delta") if self.deltas.contains(&kind) => (kind, false),
                (false, "delta") => return Err(format!("`{kind}` has no function `delta`")),
                (false, _) => (kind, true),
                (true, name) => {
                    let to = self.kinds.get(&kind).and_then(|of| of.leads.get(name));
                    (to.ok_or_else(|| format!("`{kind}` leads to no `{name}`"))?.clone(), false)
                }
            };
        }
        Ok((kind, one))
    }

    /// What is wrong with a request, or the answer to it.
    fn judged(&self, asked: &Asked, path: &str) -> Result<(u16, Value), Vec<String>> {
        let (kind, one) = self.walked(path).map_err(|wrong| vec![wrong])?;
        let mut wrong = Vec::new();
        if !asked.header("authorization").is_some_and(|value| value.starts_with("Bearer ")) {
            wrong.push("the token is missing".to_owned());
        }
        let mut names: Vec<&str> = vec!["id"];
        for (name, value) in &asked.query {
            match name.as_str() {
                "$select" => names.extend(value.split(',')),
                "$top" if value.parse::<u32>().is_ok_and(|top| (1..=999).contains(&top)) => {}
                "$deltatoken" | "$skiptoken" => {}
                _ => wrong.push(format!("`{name}` cannot be `{value}`")),
            }
        }
        // Whatever belongs to a directory object of some kind may be chosen of what is any of them.
        let known = |name: &str| {
            let all = ["user", "group"].iter().find_map(|kind| self.property(kind, name));
            self.property(&kind, name).or(all.filter(|_| kind == "directoryObject"))
        };
        wrong.extend(
            names.iter().filter(|name| known(name).is_none()).map(|name| format!("`{kind}` has no property `{name}`")),
        );
        if !asked.body.is_empty() {
            let body: Value = serde_json::from_slice(&asked.body).map_err(|error| vec![error.to_string()])?;
            let members = body.as_object().into_iter().flatten();
            wrong.extend(
                members
                    .filter(|(name, _)| known(name).is_none())
                    .map(|(name, _)| format!("`{kind}` has no property `{name}`")),
            );
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let made: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), sample(known(name).unwrap_or_default()))).collect();
        Ok(match (asked.method.as_str(), one) {
            ("GET", true) => (200, Value::Object(made)),
            ("GET", false) if path.ends_with("/delta") => {
                let host = asked.header("host").unwrap_or_default();
                let link = format!("http://{host}/v1.0{path}?$deltatoken=d1");
                (200, json!({ "value": [made], "@odata.deltaLink": link }))
            }
            ("GET", false) => (200, json!({ "value": [made] })),
            ("POST", false) => (201, Value::Object(made)),
            ("PATCH" | "DELETE", true) => (204, Value::Null),
            (method, _) => return Err(vec![format!("{method} is not for {path}")]),
        })
    }
}

/// A value of a type.
fn sample(kind: &str) -> Value {
    match kind {
        "Edm.Boolean" => json!(true),
        "Edm.DateTimeOffset" => json!("2026-01-02T03:04:05Z"),
        "Edm.Int32" | "Edm.Int64" => json!(7),
        _ if kind.starts_with("Collection(Edm.String") => json!(["text"]),
        _ if kind.starts_with("Collection(") => json!([]),
        _ => json!("text"),
    }
}

impl Metadata {
    /// Serves the metadata of this name from `tests/fixtures/odata` under `/v1.0`.
    pub fn start(name: &str) -> Self {
        let model = Arc::new(Model::read(name));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (model, seen) = (Arc::clone(&model), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &model, &seen));
            }
        });
        Self { address, seen }
    }

    /// What does not fit the metadata.
    pub fn violations(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").violations.clone()
    }

    /// What was asked, ids left out: `GET /users/delta`.
    pub fn asked(&self) -> BTreeSet<String> {
        self.seen.lock().expect("no panic").asked.clone()
    }
}

fn serve(stream: TcpStream, model: &Model, seen: &Mutex<Seen>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let asked = Asked::read(&mut reader)?;
        let (status, body) = match asked.path.strip_prefix("/v1.0") {
            None if asked.path.ends_with("/oauth2/v2.0/token") && asked.method == "POST" => {
                (200, json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "made-up" }))
            }
            None => (404, json!({ "error": { "code": "ResourceNotFound" } })),
            Some(path) => {
                let shown = path.replace("/text", "/{id}");
                let mut seen = seen.lock().ok()?;
                seen.asked.insert(format!("{} {shown}", asked.method));
                model.judged(&asked, path).unwrap_or_else(|wrong| {
                    seen.violations.push(format!("{} {path}: {}", asked.method, wrong.join("; ")));
                    (400, json!({ "error": { "code": "BadRequest", "message": wrong.join("; ") } }))
                })
            }
        };
        let body = if status == 204 { String::new() } else { body.to_string() };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .ok()?;
    }
}

#[test]
fn what_the_metadata_do_not_know_is_found() {
    let model = Model::read("msgraph");
    let kind = |path: &str| model.walked(path).map(|(kind, one)| format!("{kind} {one}"));
    assert_eq!(kind("/users"), Ok("user false".into()));
    assert_eq!(kind("/groups/g1/members"), Ok("directoryObject false".into()));
    assert!(kind("/users/delta").is_ok() && kind("/organization/delta").is_err() && kind("/people").is_err());
    // Its own, and what it inherits.
    assert!(model.property("user", "displayName").is_some() && model.property("user", "id").is_some());
    assert!(model.property("user", "favouriteTea").is_none());
}
