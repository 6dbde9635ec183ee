//! A wire that gives recorded answers and compares what it is sent with what a test of the pack expects:
//! pure, no time passes on it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;

use super::wire::{Answer, Request, Unanswered, Wire};
use crate::connect::pack::exchanges::{Exchange, Pair, Reply};

/// The text that stands for anything.
const ANYTHING: &str = "*";

/// A recording that is replayed.
pub struct Replay {
    pairs: Vec<Pair>,
    in_order: bool,
    state: Mutex<State>,
    start: jiff::Timestamp,
}

#[derive(Default)]
struct State {
    used: Vec<bool>,
    /// What was sent and not expected, or otherwise than expected.
    differences: Vec<String>,
    /// How much time would have passed.
    passed: Duration,
}

impl Replay {
    /// The exchanges of a test.
    pub fn new(test: &Exchange) -> Self {
        Self {
            pairs: test.pairs.clone(),
            in_order: test.in_order,
            state: Mutex::new(State { used: vec![false; test.pairs.len()], ..State::default() }),
            start: test.now.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        }
    }

    /// What was sent otherwise than expected, and what was expected and never sent. For people: one paragraph
    /// each.
    pub fn differences(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let unsent = self.pairs.iter().zip(&state.used).enumerate().filter(|(_, (_, used))| !**used);
        let unsent = unsent.map(|(at, (pair, _))| {
            format!(
                "request {} was never sent: {} {} ({}:{})",
                at + 1,
                pair.method,
                pair.path,
                pair.place.file,
                pair.place.line
            )
        });
        // A request that was not as expected stops the rest: one cause, one message.
        let mut all = state.differences.clone();
        if all.is_empty() {
            all.extend(unsent);
        }
        all
    }

    fn answer(&self, request: &Request) -> Result<Answer, Unanswered> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ahead = (0..self.pairs.len()).filter(|at| !state.used[*at]);
        let found = match self.in_order {
            true => ahead.next().map(|at| (at, compare(&self.pairs[at], request))),
            false => {
                // The one that fits, else the one that is nearest to fitting, for the message.
                let mut all: Vec<_> = ahead.map(|at| (at, compare(&self.pairs[at], request))).collect();
                all.sort_by_key(|(_, different)| different.len());
                all.into_iter().next()
            }
        };
        let refuse = |cause: String| Err(Unanswered { cause, sent: false, temporary: false });
        let Some((at, different)) = found else {
            let what = format!("{} {} was sent, and no further request is expected", request.method, request.url);
            state.differences.push(what.clone());
            return refuse(what);
        };
        let pair = &self.pairs[at];
        if !different.is_empty() {
            let place = format!("{}:{}", pair.place.file, pair.place.line);
            let what = format!("request {} is not as expected ({place}):\n  {}", at + 1, different.join("\n  "));
            state.differences.push(what);
            return refuse("the test expects another request".to_owned());
        }
        state.used[at] = true;
        match &pair.reply {
            Reply::Lost(sent) => {
                let cause =
                    if *sent { "the connection broke before the answer" } else { "the system cannot be reached" };
                Err(Unanswered { cause: cause.into(), sent: *sent, temporary: true })
            }
            Reply::Answer { status, headers, body } => Ok(Answer {
                status: *status,
                headers: given(headers, body.as_ref()),
                body: bytes(body.as_ref()),
                took: Duration::from_millis(1),
            }),
        }
    }
}

impl Wire for Replay {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + '_>> {
        Box::pin(std::future::ready(self.answer(&request)))
    }

    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).passed += time;
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> jiff::Timestamp {
        let passed = self.state.lock().unwrap_or_else(PoisonError::into_inner).passed;
        self.start.checked_add(passed).unwrap_or(self.start)
    }
}

/// The headers of a recorded answer.
fn given(headers: &Json, body: Option<&Json>) -> HeaderMap {
    let mut made = HeaderMap::new();
    for (name, value) in headers.as_object().into_iter().flatten() {
        let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in all {
            let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&text(value)))
            else {
                continue;
            };
            made.append(name, value);
        }
    }
    if matches!(body, Some(Json::Object(_) | Json::Array(_))) && !made.contains_key(CONTENT_TYPE) {
        made.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    made
}

fn bytes(body: Option<&Json>) -> Bytes {
    match body {
        None | Some(Json::Null) => Bytes::new(),
        Some(Json::String(text)) => Bytes::from(text.clone()),
        Some(other) => Bytes::from(other.to_string()),
    }
}

/// How a request differs from what is expected, one line each; nothing if it does not.
fn compare(pair: &Pair, request: &Request) -> Vec<String> {
    let mut out = Vec::new();
    let url = &request.url;
    let (path, inline) = match pair.path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (pair.path.as_str(), None),
    };
    let whole = path.contains("://");
    let sent = match whole {
        true => {
            let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
            format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
        }
        false => url.path().to_owned(),
    };
    if request.method.as_str() != pair.method || (sent != path && path != ANYTHING) {
        out.push(format!("expected {} {path}", pair.method));
        out.push(format!("sent     {} {sent}", request.method));
    }
    // An address of its own that was given as text may name parameters in any order, too.
    let mut wanted: Vec<(String, String)> =
        inline.map(|query| url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()).unwrap_or_default();
    for (name, value) in pair.query.as_object().into_iter().flatten() {
        let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        wanted.extend(all.iter().map(|value| (name.clone(), text(value))));
    }
    let sent: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    named("the parameter", &wanted, &sent, &mut out);
    for (name, value) in pair.headers.as_object().into_iter().flatten() {
        let sent =
            request.headers.get(name.as_str()).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        match (value, sent) {
            (Json::Null, None) => {}
            (Json::Null, Some(_)) => out.push(format!("the header `{name}` was sent, and should not be")),
            (value, Some(sent)) if text(value) == ANYTHING || text(value) == sent => {}
            (value, Some(sent)) => out.push(format!("the header `{name}`: expected {}, sent {sent}", text(value))),
            (value, None) => out.push(format!("the header `{name}` was not sent: expected {}", text(value))),
        }
    }
    match (&pair.form, &pair.body) {
        (Some(form), _) => {
            let wanted: Vec<(String, String)> = form
                .as_object()
                .into_iter()
                .flatten()
                .flat_map(|(name, value)| {
                    let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                    all.iter().map(|value| (name.clone(), text(value))).collect::<Vec<_>>()
                })
                .collect();
            let sent: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
            named("the form field", &wanted, &sent, &mut out);
        }
        (None, Some(Json::String(text))) if text == ANYTHING || text.as_bytes() == &request.body[..] => {}
        (None, Some(Json::String(text))) => {
            out.push(format!("the body: expected {text:?}"));
            out.push(format!("the body: sent     {:?}", String::from_utf8_lossy(&request.body)));
        }
        (None, Some(wanted)) if !wanted.is_null() => match serde_json::from_slice::<Json>(&request.body) {
            Ok(sent) => different("", wanted, &sent, &mut out),
            Err(_) => out.push(format!("the body is no JSON: {:?}", String::from_utf8_lossy(&request.body))),
        },
        _ if !request.body.is_empty() => {
            out.push(format!("a body was sent, and none is expected: {}", String::from_utf8_lossy(&request.body)));
        }
        _ => {}
    }
    out
}

/// Compares named texts, each name with all of its values in order.
fn named(what: &str, wanted: &[(String, String)], sent: &[(String, String)], out: &mut Vec<String>) {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in wanted.iter().chain(sent) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let of = |list: &[(String, String)], name: &str| -> Vec<String> {
        list.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
    };
    for name in names {
        let (wanted, sent) = (of(wanted, name), of(sent, name));
        let fits = wanted.len() == sent.len() && wanted.iter().zip(&sent).all(|(w, s)| w == ANYTHING || w == s);
        if !fits {
            let shown = |values: &[String]| if values.is_empty() { "nothing".to_owned() } else { values.join(" and ") };
            out.push(format!("{what} `{name}`: expected {}, sent {}", shown(&wanted), shown(&sent)));
        }
    }
}

/// Says where one tree differs from another; `*` stands for anything. Numbers are compared by what they are worth.
pub fn different(at: &str, wanted: &Json, sent: &Json, out: &mut Vec<String>) {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    match (wanted, sent) {
        (Json::String(text), _) if text == ANYTHING => {}
        (Json::Object(wanted), Json::Object(sent)) => {
            for (name, value) in wanted {
                match sent.get(name) {
                    Some(sent) => different(&below(name), value, sent, out),
                    None => out.push(format!("`{}`: expected {value}, got nothing", below(name))),
                }
            }
            for (name, value) in sent.iter().filter(|(name, _)| !wanted.contains_key(name.as_str())) {
                out.push(format!("`{}`: expected nothing, got {value}", below(name)));
            }
        }
        (Json::Array(wanted), Json::Array(sent)) => {
            if wanted.len() != sent.len() {
                out.push(format!("`{at}`: expected {} elements, got {}", wanted.len(), sent.len()));
            }
            for (index, (wanted, sent)) in wanted.iter().zip(sent).enumerate() {
                different(&format!("{at}[{index}]"), wanted, sent, out);
            }
        }
        (Json::Number(wanted), Json::Number(sent)) => {
            use crate::record::Decimal;
            let same = match (Decimal::parse(&wanted.to_string()), Decimal::parse(&sent.to_string())) {
                (Ok(wanted), Ok(sent)) => wanted == sent,
                _ => wanted == sent,
            };
            if !same {
                out.push(format!("`{at}`: expected {wanted}, got {sent}"));
            }
        }
        _ if wanted == sent => {}
        _ => out.push(format!("`{at}`: expected {wanted}, got {sent}")),
    }
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}
