//! A request that is still being made: whoever has a value (a pager, a sign-in, an idempotency key)
//! puts it where the pack says, and never decides where that is.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;
use url::Url;

use super::wire::Request;
use crate::error::codes::connect::{PACK_INVALID, TEMPLATE_FAILED};
use crate::error::{Error, Kind, Result};
use crate::record::Path;
use crate::record::path::Step;

/// Where in a request a value goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A parameter of the query.
    Query(String),
    /// A header.
    Header(String),
    /// `{name}` in the path.
    Path(String),
    /// A cookie.
    Cookie(String),
    /// A field of a form body.
    Form(String),
    /// A place in a JSON body.
    Body(Path),
}

/// What a body is made of.
#[derive(Clone, Debug, Default)]
pub enum Content {
    /// Nothing.
    #[default]
    None,
    /// JSON.
    Json(Json),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// Bytes of a kind.
    Bytes {
        /// `Content-Type`.
        kind: String,
        /// The bytes.
        bytes: Bytes,
    },
}

/// What a request is for: what people read of it, and what the layers have to know.
#[derive(Clone, Debug, Default)]
pub struct Purpose {
    /// For people: "page 3 of `orders`".
    pub what: String,
    /// Whether it changes something on the other side.
    pub writes: bool,
    /// Whether it may be sent twice: it reads, it replaces by key, or it carries an idempotency key.
    pub repeatable: bool,
    /// The bucket of the pack's limits it counts against, beside the general one.
    pub limit: Option<String>,
    /// How many units it costs; 0 counts as 1.
    pub cost: u32,
    /// Without sign-in: an address that is signed itself, a token request.
    pub bare: bool,
    /// Which part of the pack: the stream or operation, whose own faults come first.
    pub part: Option<String>,
    /// How long its answer may take as a whole; `None`: as the transport says.
    pub timeout: Option<Duration>,
}

/// A request in the making.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The method.
    pub method: Method,
    /// The address that paths count from, without a slash at its end.
    pub base: String,
    /// Behind the base; computed pieces are escaped already.
    pub path: String,
    /// The whole address as somebody gave it (a next link): base, path are not used then, the query is added.
    pub url: Option<String>,
    /// Parameters of the query, in order; escaped when the request is made.
    pub query: Vec<(String, String)>,
    /// Headers in order. Of two with one name the later one counts, but for `Prefer`, which are merged.
    pub headers: Vec<(String, String)>,
    /// Cookies.
    pub cookies: Vec<(String, String)>,
    /// The body.
    pub content: Content,
    /// What it is for.
    pub purpose: Purpose,
}

impl Draft {
    /// Puts a value where the pack says. Null and nothing go into JSON bodies as null, and nowhere else.
    ///
    /// # Errors
    /// If there is no such place: a body that is no JSON, a path without `{name}`.
    pub fn put(&mut self, spot: &Spot, value: Json) -> Result<()> {
        let text = || match &value {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let set = |list: &mut Vec<(String, String)>, name: &str, text: Option<String>| {
            list.retain(|(known, _)| known != name);
            list.extend(text.map(|text| (name.to_owned(), text)));
        };
        match spot {
            Spot::Query(name) => set(&mut self.query, name, text()),
            Spot::Header(name) => {
                self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                self.headers.extend(text().map(|text| (name.clone(), text)));
            }
            Spot::Cookie(name) => set(&mut self.cookies, name, text()),
            Spot::Path(name) => {
                let hole = format!("{{{name}}}");
                if !self.path.contains(&hole) {
                    return Err(unfit(&format!("the path has no `{hole}`")));
                }
                self.path = self.path.replace(&hole, &segment(&text().unwrap_or_default()));
            }
            Spot::Form(name) => match &mut self.content {
                Content::Form(fields) => set(fields, name, text()),
                Content::None => self.content = Content::Form(text().map(|t| (name.clone(), t)).into_iter().collect()),
                _ => return Err(unfit("the body is no form")),
            },
            Spot::Body(path) => {
                if matches!(self.content, Content::None) {
                    self.content = Content::Json(Json::Object(serde_json::Map::new()));
                }
                let Content::Json(root) = &mut self.content else { return Err(unfit("the body is no JSON")) };
                *hole(root, path).ok_or_else(|| unfit(&format!("the body has no place `{path}`")))? = value;
            }
        }
        Ok(())
    }

    /// The request, final.
    ///
    /// # Errors
    /// If the address is none, or a header holds what headers cannot.
    pub fn finish(self) -> Result<Request> {
        self.request()
    }

    /// Where it goes, without the query that is put in last.
    ///
    /// # Errors
    /// If the address is none.
    pub fn address(&self) -> Result<Url> {
        // Without the parser's own words: the address may hold a secret.
        let parsed = match &self.url {
            Some(url) => Url::parse(url),
            None => return LAST.with_borrow_mut(|last| self.known(last)),
        };
        parsed.map_err(|_| no_address())
    }

    /// Where it goes by base and path: records that are written one by one go to one place again and again.
    fn known(&self, last: &mut Option<(String, String, Url)>) -> Result<Url> {
        if let Some((base, path, url)) = last
            && *base == self.base
            && *path == self.path
        {
            return Ok(url.clone());
        }
        let url = Url::parse(&format!("{}{}", self.base, self.path)).map_err(|_| no_address())?;
        *last = Some((self.base.clone(), self.path.clone(), url.clone()));
        Ok(url)
    }

    /// The request as it is now; the draft can be changed and made again.
    ///
    /// # Errors
    /// If the address is none, or a header holds what headers cannot.
    pub fn request(&self) -> Result<Request> {
        let mut url = self.address()?;
        if !self.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in &self.query {
                pairs.append_pair(name, value);
            }
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let bad = || unfit(&format!("the header `{name}` cannot be sent"));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
            let merged = match headers.get(&name).and_then(|known: &HeaderValue| known.to_str().ok()) {
                Some(known) if name.as_str() == "prefer" => Cow::Owned(format!("{known}, {value}")),
                _ => Cow::Borrowed(value.as_str()),
            };
            let mut value = HeaderValue::from_str(&merged).map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        if !self.cookies.is_empty() {
            let all: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let value = HeaderValue::from_str(&all.join("; ")).map_err(|_| unfit("a cookie cannot be sent"))?;
            headers.insert(reqwest::header::COOKIE, value);
        }
        let (kind, body) = match &self.content {
            Content::None => (None, Bytes::new()),
            Content::Json(value) => (Some("application/json".to_owned()), Bytes::from(value.to_string())),
            Content::Form(fields) => {
                let mut made = url::form_urlencoded::Serializer::new(String::new());
                made.extend_pairs(fields);
                (Some("application/x-www-form-urlencoded".to_owned()), Bytes::from(made.finish()))
            }
            Content::Bytes { kind, bytes } => (Some(kind.clone()), bytes.clone()),
        };
        if let Some(kind) = kind
            && !headers.contains_key(reqwest::header::CONTENT_TYPE)
        {
            let value = HeaderValue::from_str(&kind).map_err(|_| unfit("the content type cannot be sent"))?;
            headers.insert(reqwest::header::CONTENT_TYPE, value);
        }
        Ok(Request { method: self.method.clone(), url, headers, body, timeout: self.purpose.timeout })
    }
}

thread_local! {
    /// The base and path that were taken apart last, and their address.
    static LAST: RefCell<Option<(String, String, Url)>> = const { RefCell::new(None) };
}

fn no_address() -> Error {
    Error::new(Kind::Invalid, &TEMPLATE_FAILED, "the address of a request is no URL")
        .hint("look at `transport.base` of the pack, and the parameters it is made of")
}

/// Text as one segment of a path (RFC 3986, section 3.3): whatever is not unreserved is escaped.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => {
                out.push('%');
                out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0').to_ascii_uppercase());
                out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

/// The place in a tree, objects made on the way.
fn hole<'j>(root: &'j mut Json, path: &Path) -> Option<&'j mut Json> {
    let mut here = root;
    for step in &path.0 {
        here = match step {
            Step::Key(name) => {
                if here.is_null() {
                    *here = Json::Object(serde_json::Map::new());
                }
                here.as_object_mut()?.entry(name.clone()).or_insert(Json::Null)
            }
            Step::Index(at) => here.as_array_mut()?.get_mut(usize::try_from(*at).ok()?)?,
            Step::Each => return None,
        };
    }
    Some(here)
}

fn unfit(cause: &str) -> Error {
    Error::new(Kind::Invalid, &PACK_INVALID, format!("a value has no place in the request: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_where_the_pack_says() {
        let mut draft = Draft { base: "https://api.example/v1".into(), path: "/users/{id}".into(), ..Draft::default() };
        draft.put(&Spot::Path("id".into()), Json::from("a/b c")).unwrap();
        draft.put(&Spot::Query("page[size]".into()), Json::from(100)).unwrap();
        draft.put(&Spot::Header("X-Key".into()), Json::from("k1")).unwrap();
        draft.put(&Spot::Header("x-key".into()), Json::from("k2")).unwrap();
        draft.put(&Spot::Cookie("sid".into()), Json::from("1")).unwrap();
        draft.put(&Spot::Body(Path::parse("options.cursor").unwrap()), Json::Null).unwrap();
        let request = draft.finish().unwrap();
        assert_eq!(request.url.as_str(), "https://api.example/v1/users/a%2Fb%20c?page%5Bsize%5D=100");
        assert_eq!(request.headers["x-key"], "k2");
        assert_eq!(request.headers["cookie"], "sid=1");
        assert_eq!(&request.body[..], br#"{"options":{"cursor":null}}"#);
        assert_eq!(format!("{request:?}"), "GET api.example/v1/users/a%2Fb%20c");
    }

    #[test]
    fn preferences_are_merged() {
        let draft = Draft {
            base: "https://api.example".into(),
            headers: vec![("Prefer".into(), "respond-async".into()), ("Prefer".into(), "return=minimal".into())],
            ..Draft::default()
        };
        assert_eq!(draft.finish().unwrap().headers["prefer"], "respond-async, return=minimal");
    }
}
