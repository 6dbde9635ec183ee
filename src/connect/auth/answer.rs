//! Answers and finished requests as templates see them, and what a refusal means.

use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::desk::Desk;
use crate::connect::web::{Answer, Request, Spot};
use crate::error::codes::connect::{PACK_INVALID, SIGN_IN_REFUSED, SIGN_IN_UNANSWERED};
use crate::error::{Error, Kind, Result, Retry};

/// What `answer` stands for.
pub(super) fn told(answer: &Answer) -> Json {
    let text = String::from_utf8_lossy(&answer.body);
    let body = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
    json!({ "status": answer.status, "headers": headers(&answer.headers), "body": body, "text": text })
}

/// What `request` stands for once a request is finished.
pub(super) fn told_request(request: &Request) -> Json {
    let url = &request.url;
    json!({
        "method": request.method.as_str(),
        "url": url.as_str(),
        "host": host(request),
        "path": url.path(),
        "query": url.query().unwrap_or_default(),
        "headers": headers(&request.headers),
        "body": String::from_utf8_lossy(&request.body),
        "body_sha256": data_encoding::HEXLOWER.encode(&Sha256::digest(&request.body)),
        "body_md5": data_encoding::HEXLOWER.encode(&md5::Md5::digest(&request.body)),
    })
}

/// Host and port as the `Host` header has them.
pub(super) fn host(request: &Request) -> String {
    let host = request.url.host_str().unwrap_or_default();
    match request.url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Puts a value into a finished request.
///
/// # Errors
/// If it cannot stand there.
pub(super) fn put(request: &mut Request, spot: &Spot, value: &str) -> Result<()> {
    let bad = || Error::new(Kind::Invalid, &PACK_INVALID, "what the sign-in sends has no place in the request");
    if !spot.is_late() {
        return Err(bad());
    }
    match spot {
        Spot::Header(name) => header(request, name, value)?,
        Spot::Query(name) => {
            request.url.query_pairs_mut().append_pair(name, value);
        }
        Spot::Cookie(name) => {
            let known = request.headers.get(COOKIE).and_then(|known| known.to_str().ok());
            let all = known.map_or_else(|| format!("{name}={value}"), |known| format!("{known}; {name}={value}"));
            request.headers.insert(COOKIE, HeaderValue::from_str(&all).map_err(|_| bad())?);
        }
        _ => return Err(bad()),
    }
    Ok(())
}

/// Sets a header of a finished request.
///
/// # Errors
/// If it holds what headers cannot.
pub(super) fn header(request: &mut Request, name: &str, value: &str) -> Result<()> {
    let bad = || {
        Error::new(Kind::Invalid, &PACK_INVALID, format!("the header `{name}` of the sign-in cannot be sent"))
            .hint("look for line ends or other control characters in what the connector gives under `auth`")
    };
    let made = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
    value.set_sensitive(true);
    request.headers.insert(made, value);
    Ok(())
}

/// A refusal for a person. Of the answer the status is told, and the error's own words, unless they hold
/// something of what is signed in with.
pub(super) fn refused(desk: &Desk, what: &str, answer: &Answer) -> Error {
    let body: Json = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
    let word = |names: &[&str]| {
        let found = names.iter().find_map(|name| body.pointer(name)?.as_str());
        found.filter(|text| desk.harmless(text)).map(str::to_owned)
    };
    let mut cause = format!("{what}: the answer was {}", answer.status);
    let code = word(&["/error", "/error/code", "/errorCode", "/code"]);
    if let Some(code) = &code {
        cause.push_str(&format!(", `{code}`"));
    }
    if let Some(said) = word(&["/error_description", "/error/message", "/message", "/errorSummary", "/detail"]) {
        cause.push_str(&format!(" ({})", said.trim().trim_end_matches('.')));
    }
    if answer.status == 429 || answer.status >= 500 {
        return Error::new(Kind::Environment, &SIGN_IN_UNANSWERED, cause).retry(Retry::Later);
    }
    let name = &desk.given.connector.name;
    let hint = match code.as_deref() {
        _ if desk.way.asks_a_person() => format!("sign in again: `consign connect login {name}`"),
        Some("invalid_client") => {
            "the client is not known, or its secret or key is not the one that was registered".into()
        }
        Some("invalid_scope") => "the server does not grant what `scope` asks for".into(),
        _ => format!("check what `connectors.yaml` says under `auth` of `{name}`"),
    };
    Error::new(Kind::Denied, &SIGN_IN_REFUSED, cause).hint(hint)
}

fn headers(headers: &HeaderMap) -> Json {
    let mut made = Map::new();
    for name in headers.keys() {
        let all: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        made.insert(name.as_str().to_owned(), Json::String(all.join(", ")));
    }
    Json::Object(made)
}
