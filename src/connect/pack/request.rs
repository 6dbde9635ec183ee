//! A request as a pack writes it: method, path, query, headers, body.

use std::time::Duration;

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;
use crate::connect::web::{Content, Draft, Purpose};
use crate::error::codes::connect::PACK_INVALID;
use crate::error::{Error, Kind as Trouble, Result};

use super::names::Scope;
use super::reader::Reader;
use super::template::{Template, Tree};
use crate::connect::web::draft::segment;

/// One call.
pub static REQUEST: Section = Section { name: "a request", about: "One call.", foreign: false, keys: KEYS };

/// The keys of a request.
pub const KEYS: &[Key] = &[METHOD, PATH, URL, QUERY, HEADERS, BODY, BODY_AS, LIMIT, COST, TIMEOUT];

/// The keys of a section that is a request and says more: those of every request, then its own.
macro_rules! request_keys {
    ($($own:expr),* $(,)?) => {{
        const OWN: usize = [$(stringify!($own)),*].len();
        static ALL: [$crate::config::keys::Key; $crate::connect::pack::request::KEYS.len() + OWN] =
            $crate::connect::pack::request::behind(&[$($own),*]);
        &ALL
    }};
}
pub(crate) use request_keys;

/// The keys of a request, and others behind them.
pub const fn behind<const N: usize>(own: &[Key]) -> [Key; N] {
    let mut all = [METHOD; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < KEYS.len() { KEYS[at] } else { own[at - KEYS.len()] };
        at += 1;
    }
    all
}

/// A place in a request: the value of `send`.
pub static SPOT: Section = Section {
    name: "a place in a request",
    about: "Where a value goes: one of these.",
    foreign: false,
    keys: &[
        Key::new("query", Kind::Label, "A parameter of the query."),
        Key::new("header", Kind::Label, "A header."),
        Key::new("path", Kind::Label, "`{name}` in the path."),
        Key::new("cookie", Kind::Label, "A cookie."),
        Key::new("form", Kind::Label, "A field of a form body."),
        Key::new("body", Kind::RecordPath, "A place in a JSON body."),
    ],
};

/// `method`
pub const METHOD: Key = Key::new(
    "method",
    Kind::Word(&[
        word("GET", "Reads."),
        word("POST", "Creates, or asks with a body."),
        word("PUT", "Replaces."),
        word("PATCH", "Changes."),
        word("DELETE", "Deletes."),
        word("HEAD", "Looks."),
        word("OPTIONS", "Asks what can be done."),
    ]),
    "The method.",
)
.default("GET");
/// `path`
pub const PATH: Key = Key::new(
    "path",
    Kind::Label,
    "Behind `transport.base`; what templates give is escaped as one segment. `{name}` is filled by a value that is sent to `path: name`.",
);
/// `url`
pub const URL: Key = Key::new("url", Kind::Label, "A whole address, in place of base and path.");
/// `query`
pub const QUERY: Key =
    Key::new("query", Kind::Record, "Parameters; one without a value is left out, a list repeats its name.");
/// `headers`
pub const HEADERS: Key = Key::new(
    "headers",
    Kind::Record,
    "Headers, on top of those of `transport`; one of the same name stands in its place.",
);
/// `body`
pub const BODY: Key = Key::new("body", Kind::Value, "The body: a tree, or text.");
/// `body_as`
pub const BODY_AS: Key = Key::new(
    "body_as",
    Kind::Word(&[
        word("json", "A tree as JSON."),
        word("form", "A map as form fields; maps and lists in it in brackets: `items[0][price]`."),
        word("text", "Text as it is; its kind stands in `headers`."),
        word("multipart", "A map as parts of `multipart/form-data`, in its order; a part that is a map of `name`, `type` and `data` is a file."),
    ]),
    "How the body is written.",
)
.default("json");
/// `limit`
pub const LIMIT: Key = Key::new("limit", Kind::Name(false), "The bucket of `limits` that it counts against, too.");
/// `cost`
pub const COST: Key =
    Key::new("cost", Kind::Whole(1, 1_000_000), "How many units of that bucket it costs.").default("1");
/// `timeout`
pub const TIMEOUT: Key = Key::new(
    "timeout",
    Kind::Length,
    "How long its answer may take as a whole, where that is not what `transport.timeouts` says.",
);

/// A request, compiled.
#[derive(Debug)]
pub struct RequestSpec {
    /// The method.
    pub method: reqwest::Method,
    /// Behind the base.
    pub path: Option<Template>,
    /// A whole address instead.
    pub url: Option<Template>,
    /// Parameters of the query.
    pub query: Option<Tree>,
    /// Headers.
    pub headers: Option<Tree>,
    /// The body.
    pub body: Option<Tree>,
    /// How the body is written.
    pub body_as: BodyAs,
    /// The bucket of the limits.
    pub limit: Option<String>,
    /// What it costs.
    pub cost: u32,
    /// How long its answer may take; `None`: as any other's.
    pub timeout: Option<Duration>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyAs {
    /// As JSON.
    #[default]
    Json,
    /// As form fields.
    Form,
    /// As text.
    Text,
    /// As the parts of a form.
    Multipart,
}

impl RequestSpec {
    /// Reads the keys of a request from the map they stand in.
    pub fn read(reader: &mut Reader<'_>, raw: &Raw) -> Self {
        let method = reader.label(raw, "method").unwrap_or_else(|| "GET".into());
        Self {
            method: reqwest::Method::from_bytes(method.as_bytes()).unwrap_or_default(),
            path: reader.template(raw, "path"),
            url: reader.template(raw, "url"),
            query: reader.tree(raw, "query"),
            headers: reader.tree(raw, "headers"),
            body: reader.tree(raw, "body"),
            body_as: match reader.label(raw, "body_as").as_deref() {
                Some("form") => BodyAs::Form,
                Some("text") => BodyAs::Text,
                Some("multipart") => BodyAs::Multipart,
                _ => BodyAs::Json,
            },
            limit: reader.label(raw, "limit"),
            cost: reader.whole(raw, "cost").and_then(|cost| u32::try_from(cost).ok()).unwrap_or(1),
            timeout: reader.length(raw, "timeout"),
        }
    }

    /// The draft of it, behind this base and with these headers of the transport.
    ///
    /// # Errors
    /// If a template has no value, or the body is not what it is to be written as.
    pub fn draft(&'static self, scope: &Scope<'_>, base: &str, headers: &[(String, String)]) -> Result<Draft> {
        let mut draft = Draft {
            method: self.method.clone(),
            base: base.trim_end_matches('/').to_owned(),
            headers: headers.to_vec(),
            purpose: Purpose {
                limit: self.limit.clone(),
                cost: self.cost,
                timeout: self.timeout,
                ..Purpose::default()
            },
            ..Draft::default()
        };
        if let Some(url) = &self.url {
            draft.url = Some(url.text(scope)?);
        }
        if let Some(path) = &self.path {
            draft.path = path.escaped(scope, &|text| segment(text).into())?;
            if !draft.path.starts_with('/') && !draft.path.is_empty() {
                draft.path.insert(0, '/');
            }
        }
        pairs(self.query.as_ref(), scope, &mut draft.query)?;
        // What the request says of a header stands in place of what the transport says of it.
        let mut own = Vec::new();
        pairs(self.headers.as_ref(), scope, &mut own)?;
        draft.headers.retain(|(name, _)| !own.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        draft.headers.append(&mut own);
        let body = match &self.body {
            Some(body) => body.json(scope)?,
            None => None,
        };
        draft.content = match (body, self.body_as) {
            (None, _) => Content::None,
            (Some(body), BodyAs::Json) => Content::Json(body),
            (Some(body), BodyAs::Form) => {
                let mut fields = Vec::new();
                form("", &body, &mut fields);
                Content::Form(fields)
            }
            (Some(serde_json::Value::Object(parts)), BodyAs::Multipart) => multipart(&parts)?,
            (Some(_), BodyAs::Multipart) => {
                return Err(Error::new(Trouble::Invalid, &PACK_INVALID, "a body that is written in parts is no map"));
            }
            (Some(serde_json::Value::String(text)), BodyAs::Text) => {
                Content::Bytes { kind: "text/plain; charset=utf-8".into(), bytes: text.into_bytes().into() }
            }
            (Some(_), BodyAs::Text) => {
                return Err(Error::new(Trouble::Invalid, &PACK_INVALID, "a body that is written as text is no text"));
            }
        };
        Ok(draft)
    }
}

fn pairs(tree: Option<&'static Tree>, scope: &Scope<'_>, out: &mut Vec<(String, String)>) -> Result<()> {
    let Some(made) = tree.map(|tree| tree.json(scope)).transpose()?.flatten() else { return Ok(()) };
    for (name, value) in made.as_object().into_iter().flatten() {
        let all = match value {
            serde_json::Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in all {
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => out.push((name.clone(), text.clone())),
                other => out.push((name.clone(), other.to_string())),
            }
        }
    }
    Ok(())
}

/// A map as the parts of a form (RFC 7578), in its order: some systems want the file last. Nothing is left out
/// but parts that are null.
fn multipart(parts: &serde_json::Map<String, serde_json::Value>) -> Result<Content> {
    use serde_json::Value as Json;
    let mut random = [0_u8; 18];
    getrandom::fill(&mut random).map_err(|e| Error::bug(format!("no random numbers are to be had: {e}")))?;
    let boundary = format!("consign-{}", data_encoding::HEXLOWER.encode(&random));
    // Quotes and line ends in a name end it: they are written as browsers do.
    let quoted = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let mut out = Vec::new();
    for (name, value) in parts {
        let mut line = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"", quoted(name));
        let data = match value {
            Json::Null => continue,
            Json::Object(file) => {
                let text = |key: &str| file.get(key).and_then(Json::as_str);
                if let Some(name) = text("name") {
                    line.push_str(&format!("; filename=\"{}\"", quoted(name)));
                }
                let kind = text("type").unwrap_or("application/octet-stream");
                line.push_str(&format!("\r\ncontent-type: {}", kind.replace(['\r', '\n'], " ")));
                file.get("data").unwrap_or(&Json::Null)
            }
            one => one,
        };
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
        match data {
            Json::Null => {}
            Json::String(text) => out.extend_from_slice(text.as_bytes()),
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Content::Bytes { kind: format!("multipart/form-data; boundary={boundary}"), bytes: out.into() })
}

/// A tree as form fields with brackets: `items[0][price]`.
fn form(name: &str, value: &serde_json::Value, out: &mut Vec<(String, String)>) {
    use serde_json::Value as Json;
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}[{key}]") };
    match value {
        Json::Null => out.push((name.to_owned(), String::new())),
        Json::String(text) => out.push((name.to_owned(), text.clone())),
        Json::Object(entries) => entries.iter().for_each(|(key, value)| form(&below(key), value, out)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| form(&below(&at.to_string()), value, out))
        }
        other => out.push((name.to_owned(), other.to_string())),
    }
}
