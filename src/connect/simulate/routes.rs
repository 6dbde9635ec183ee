//! Which part of a pack a request belongs to: every request that the pack can make, read backwards.

use serde_json::{Map, Value as Json};

use super::pattern::{Captures, Pattern, Want, Where, whole};
use crate::config::Mode;
use crate::config::yaml::{Raw, RawKind};
use crate::connect::pack::Pack;
use crate::connect::pack::reader::scalar;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// Parameters, unescaped.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as a tree: JSON, or the fields of a form with their brackets taken apart.
    pub fn tree(&self) -> Json {
        if let Ok(tree) = serde_json::from_slice(&self.body) {
            return tree;
        }
        if self.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            let mut root = Json::Object(Map::new());
            for (name, value) in url::form_urlencoded::parse(&self.body) {
                let steps: Vec<super::place::Step> = name
                    .split(['[', ']'])
                    .filter(|part| !part.is_empty())
                    .map(|part| match part.parse() {
                        Ok(at) => super::place::Step::At(at),
                        Err(_) => super::place::Step::Name(part.to_owned()),
                    })
                    .collect();
                super::place::set(&mut root, &steps, Some(Json::from(value.into_owned())));
            }
            return root;
        }
        match std::str::from_utf8(&self.body) {
            Ok("") | Err(_) => Json::Null,
            Ok(text) => Json::from(text),
        }
    }
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A token is asked for.
    Token,
    /// A person is to sign in.
    Authorize,
    /// A device code is asked for.
    Device,
    /// A step of signing in, by the way and its number.
    SignIn(String, usize),
    /// A session ends, or a token is revoked.
    SignOut,
    /// Something is found out.
    Discover(String),
    /// The system is probed.
    Probe,
    /// A stream is read.
    Read(String),
    /// A record of a stream is looked for.
    Find(String),
    /// A stream is written.
    Write(String, Mode),
    /// A job of a stream: which step of it.
    Job(String, &'static str),
    /// A job that writes a stream.
    Upload(String, Mode, Stage),
    /// An operation is called.
    Call(String),
}

/// Which request of a job that writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// One of those that order it, by number.
    Step(usize),
    /// How far it is.
    Poll,
    /// What became of records, by number.
    Result(usize),
    /// It is removed.
    Clean,
}

/// A request that the pack can make.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) part: Part,
    pub(super) raw: Raw,
    pub(super) method: String,
    path: Option<Pattern>,
    query: Vec<(String, Want)>,
    /// Headers that never change: some systems know their calls by one.
    headers: Vec<(String, Json)>,
    body: Option<Want>,
    /// What stands for one of many records.
    element: Option<Want>,
}

/// The path of tokens where nothing says it but an answer.
pub(super) const TOKENS: &str = "/simulated-token";

/// The tree of a pack, each stream's name put in where its requests speak of it.
pub(super) fn named(pack: &Pack) -> Raw {
    let mut raw = pack.raw.clone();
    if let RawKind::Map { entries, .. } = &mut raw.kind
        && let Some(streams) = entries.iter_mut().find(|entry| entry.key == "streams")
        && let RawKind::Map { entries, .. } = &mut streams.value.kind
    {
        for entry in entries {
            put_name(&mut entry.value, &entry.key);
        }
    }
    raw
}

fn put_name(raw: &mut Raw, name: &str) {
    match &mut raw.kind {
        RawKind::Text { text, .. } if text.contains("stream.name") => {
            *text = text.replace("{{ stream.name }}", name).replace("stream.name", &format!("'{name}'"));
        }
        RawKind::List { items, .. } => items.iter_mut().for_each(|item| put_name(item, name)),
        RawKind::Map { entries, .. } => entries.iter_mut().for_each(|entry| put_name(&mut entry.value, name)),
        _ => {}
    }
}

/// Every request of a pack. `params`: the values that its addresses are made with.
pub(super) fn all(raw: &Raw, params: &Json) -> Vec<Route> {
    let base = get(raw, "transport").and_then(|of| get(of, "base")).and_then(scalar).unwrap_or_default();
    let base = base_path(&base, params);
    let mut routes = Vec::new();
    let mut add = |part: Part, raw: &Raw| {
        if let Some(route) = route(part, raw, &base, params) {
            routes.push(route);
        }
    };
    for way in entries(raw, "auth").iter().filter(|entry| entry.key == "ways").flat_map(|entry| entry.value.entries()) {
        for (at, step) in get(&way.value, "steps").map_or(&[][..], Raw::items).iter().enumerate() {
            add(Part::SignIn(way.key.clone(), at), step);
        }
        if let Some(logout) = get(&way.value, "logout") {
            add(Part::SignOut, logout);
        }
    }
    for entry in entries(raw, "discover") {
        add(Part::Discover(entry.key.clone()), &entry.value);
    }
    for entry in entries(raw, "streams") {
        let stream = &entry.key;
        if let Some(read) = get(&entry.value, "read") {
            if let Some(job) = get(read, "job") {
                for step in ["submit", "poll", "abort", "clean"] {
                    if let Some(of) = get(job, step) {
                        add(Part::Job(stream.clone(), step), of);
                    }
                }
                for of in get(job, "then").map_or(&[][..], Raw::items) {
                    add(Part::Job(stream.clone(), "then"), of);
                }
            }
            if let Some(pages) = get(read, "pages") {
                for step in ["open", "close"] {
                    if let Some(of) = get(pages, step) {
                        add(Part::Job(stream.clone(), step), of);
                    }
                }
            }
            add(Part::Read(stream.clone()), read);
        }
        for way in get(&entry.value, "write").map_or(&[][..], Raw::entries) {
            let mode = match way.key.as_str() {
                "create" => Mode::Append,
                "update" => Mode::Update,
                "delete" => Mode::Delete,
                _ => Mode::Upsert,
            };
            for name in ["find", "look_up"] {
                if let Some(find) = get(&way.value, name) {
                    add(Part::Find(stream.clone()), find);
                }
            }
            if let Some(read) = get(&way.value, "lock").and_then(|lock| get(lock, "read")) {
                add(Part::Find(stream.clone()), read);
            }
            if let Some(job) = get(&way.value, "job") {
                let mut stage = |stage: Stage, raw: &Raw| add(Part::Upload(stream.clone(), mode, stage), raw);
                for (at, of) in get(job, "steps").map_or(&[][..], Raw::items).iter().enumerate() {
                    stage(Stage::Step(at), of);
                }
                for (at, of) in get(job, "results").map_or(&[][..], Raw::items).iter().enumerate() {
                    stage(Stage::Result(at), of);
                }
                for (of, which) in [(get(job, "poll"), Stage::Poll), (get(job, "clean"), Stage::Clean)] {
                    if let Some(of) = of {
                        stage(which, of);
                    }
                }
                continue;
            }
            add(Part::Write(stream.clone(), mode), &way.value);
        }
    }
    for entry in entries(raw, "operations") {
        add(Part::Call(entry.key.clone()), &entry.value);
    }
    if let Some(probe) = get(raw, "probe") {
        add(Part::Probe, probe);
    }
    for way in entries(raw, "auth").iter().filter(|entry| entry.key == "ways").flat_map(|entry| entry.value.entries()) {
        for (key, part) in [
            ("token_url", Part::Token),
            ("authorize_url", Part::Authorize),
            ("device_url", Part::Device),
            ("revoke_url", Part::SignOut),
        ] {
            let Some(text) = get(&way.value, key).and_then(scalar) else { continue };
            let path = address(&text, params);
            let path = if path.is_empty() || path.contains("auth.") { TOKENS.to_owned() } else { path };
            routes.push(Route {
                method: if part == Part::Authorize { "GET".into() } else { "POST".into() },
                part,
                raw: way.value.clone(),
                path: Pattern::new(&path, Where::Path, ""),
                query: Vec::new(),
                headers: Vec::new(),
                body: None,
                element: None,
            });
        }
    }
    routes
}

fn route(part: Part, raw: &Raw, base: &str, params: &Json) -> Option<Route> {
    let method = get(raw, "method").and_then(scalar).unwrap_or_else(|| "GET".into());
    let path = match (get(raw, "path").and_then(scalar), get(raw, "url").and_then(scalar)) {
        (Some(path), _) => {
            let path = if path.starts_with('/') || path.is_empty() { path } else { format!("/{path}") };
            Pattern::new(&path, Where::Path, base)
        }
        // An address that an answer gave: ours, then, and known by its path.
        (None, Some(url)) if whole(&url).is_some_and(|expression| param(&expression, params).is_none()) => None,
        (None, Some(url)) => Pattern::new(&address(&url, params), Where::Path, ""),
        (None, None) if get(raw, "body").is_some() || get(raw, "query").is_some() => {
            Pattern::new("", Where::Path, base)
        }
        (None, None) => return None,
    };
    Some(Route {
        part,
        raw: raw.clone(),
        method,
        path,
        query: entries(raw, "query").iter().map(|entry| (entry.key.clone(), Want::new(&entry.value))).collect(),
        headers: entries(raw, "headers")
            .iter()
            .filter_map(|entry| match Want::new(&entry.value) {
                Want::Fixed(value) if !value.is_null() => Some((entry.key.to_lowercase(), value)),
                _ => None,
            })
            .collect(),
        body: get(raw, "body").map(Want::new),
        element: get(raw, "element").map(Want::new),
    })
}

impl Route {
    /// How well a request fits, and what the expressions of the pack stood for; `None`: it is another one.
    pub(super) fn read(&self, asked: &Asked, tree: &Json) -> Option<(usize, Captures)> {
        if asked.method != self.method {
            return None;
        }
        let path = self.path.as_ref()?;
        let mut captures: Captures = path
            .read(asked.path.trim_end_matches('/'))
            .or_else(|| path.read(&asked.path))?
            .into_iter()
            .map(|(name, value)| (name, unescaped(value)))
            .collect();
        let mut score = path.fixed * 100;
        for (name, want) in &self.query {
            match (asked.parameter(name), want) {
                // Several of one name.
                (Some(_), Want::List(_)) => {}
                (Some(value), want) => score += 10 * want.read(&Json::from(value), &mut captures)?,
                (None, Want::Fixed(fixed)) if !fixed.is_null() => return None,
                (None, _) => {}
            }
        }
        for (name, value) in &self.headers {
            match asked.header(name) {
                Some(sent) if sent == super::place::text(value) => score += 10,
                // What is recorded of requests need not say their headers.
                Some(_) => return None,
                None => {}
            }
        }
        if let Some(body) = &self.body {
            if tree.is_null() && matches!(body, Want::Map(_) | Want::List(_)) {
                return None;
            }
            score += 10 * body.read(tree, &mut captures)?;
        }
        if let Some(element) = &self.element
            && let Some((_, Json::Array(list))) = captures.iter().find(|(name, _)| name == "records")
            && let Some(first) = list.first()
        {
            score += 10 * element.read(first, &mut Captures::new())?;
        }
        Some((score, captures))
    }
}

pub(super) fn unescaped(value: Json) -> Json {
    match value {
        Json::String(text) if text.contains('%') => {
            // `+` is itself in a path.
            let plus = text.replace('+', "%2B");
            let decoded = url::form_urlencoded::parse(plus.as_bytes()).next().map(|(name, _)| name.into_owned());
            Json::from(decoded.unwrap_or(text))
        }
        other => other,
    }
}

/// The path of the base: templates of parameters filled in, the host left out.
fn base_path(base: &str, params: &Json) -> String {
    let filled = match whole(base).and_then(|expression| param(&expression, params)) {
        Some(value) => value,
        None => base.to_owned(),
    };
    path_of(&filled).trim_end_matches('/').to_owned()
}

/// The path of a whole address.
fn address(url: &str, params: &Json) -> String {
    // `{{ params.base }}/…`: it counts from the parameter.
    let begun = url.strip_prefix("{{").and_then(|rest| rest.split_once("}}")).and_then(|(inside, rest)| {
        let name = inside.trim().strip_prefix("params.")?;
        Some(format!("{}{rest}", params.get(name)?.as_str()?.trim_end_matches('/')))
    });
    let url = begun.as_deref().unwrap_or(url);
    let filled = match whole(url).and_then(|expression| param(&expression, params)) {
        Some(value) => value,
        None => url.to_owned(),
    };
    let path = path_of(&filled);
    let mut depth = 0;
    let end = path.char_indices().find(|(_, character)| {
        depth += match character {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth == 0 && *character == '?'
    });
    path[..end.map_or(path.len(), |(at, _)| at)].to_owned()
}

/// What stands behind the host, whatever the host is made of.
fn path_of(url: &str) -> &str {
    let rest = match url.find("://") {
        Some(at) => &url[at + 3..],
        // `{{ auth.instance_url }}/services`: the expression is the origin.
        None => match url.strip_prefix("{{").and_then(|rest| rest.find("}}")) {
            Some(end) => return &url[end + 4..],
            None => url,
        },
    };
    let (mut depth, mut before) = (0, ' ');
    for (at, character) in rest.char_indices() {
        match (before, character) {
            ('{', '{') => depth += 1,
            ('}', '}') => depth -= 1,
            (_, '/') if depth <= 0 => return &rest[at..],
            _ => {}
        }
        before = character;
    }
    ""
}

/// The value of `params.x`, however it is guarded.
fn param(expression: &str, params: &Json) -> Option<String> {
    let steps = super::place::reference(expression, "params")?;
    let [super::place::Step::Name(name)] = steps.as_slice() else { return None };
    params.get(name).and_then(Json::as_str).map(str::to_owned)
}

/// The word of a way of writing.
pub(super) fn way_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Append => "create",
        Mode::Update => "update",
        Mode::Delete => "delete",
        _ => "upsert",
    }
}

/// What stands under a key.
pub(super) fn get<'r>(raw: &'r Raw, name: &str) -> Option<&'r Raw> {
    raw.entries().iter().find(|entry| entry.key == name).map(|entry| &entry.value)
}

/// The text under a key.
pub(super) fn word(raw: &Raw, name: &str) -> Option<String> {
    get(raw, name).and_then(scalar)
}

/// The entries under a key.
pub(super) fn entries<'r>(raw: &'r Raw, name: &str) -> &'r [crate::config::yaml::Entry] {
    get(raw, name).map_or(&[], Raw::entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_no_part_of_paths() {
        for (url, path) in [
            ("https://api.example.com/v1", "/v1"),
            ("https://{{ params.shop + '/' }}.example.com/admin/{{ x }}", "/admin/{{ x }}"),
            ("{{ auth.instance_url }}/services", "/services"),
            ("https://api.example.com", ""),
            ("{{ params.base }}", ""),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
        assert_eq!(base_path("{{ params.base }}", &serde_json::json!({ "base": "http://h:1/v2/" })), "/v2");
    }
}
