//! The contract of reading: the same questions to every kind of pager and cursor, against a far side that
//! is a function.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use crate::config::{Connector, Mode, Source as File, Spanned, Stream, yaml};
use crate::connect::pack::{Given, Pack};
use crate::connect::protocols::{ReadRequest, Resumption, Window};
use crate::connect::web::{Answer, Caller, Flow, Head, Request, Unanswered, Wire};
use crate::connect::{Part, Source};
use crate::error::{Error, Place, Result};
use crate::record::{Position, Settled, SliceId};

mod answers;
mod cuts;
mod flows;

type Far = Arc<dyn Fn(&Ask) -> Answer + Send + Sync>;

/// A request as the far side sees it.
struct Ask {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Json,
}

impl Ask {
    fn number(&self, name: &str, otherwise: usize) -> usize {
        self.query.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

struct Line {
    far: Far,
    asked: Mutex<Vec<String>>,
    /// Behind how many bytes the next answers break off that are read piece by piece, the last one first.
    breaks: Mutex<Vec<usize>>,
}

/// An answer in pieces; what is left at the end breaks off.
struct Torn(Vec<Bytes>, bool);

impl crate::connect::web::wire::Stream for Torn {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = std::result::Result<Option<Bytes>, Unanswered>> + Send + '_>> {
        let next = match self.0.pop() {
            None if self.1 => Err(Unanswered { cause: "it broke off".into(), sent: true, temporary: true }),
            next => Ok(next),
        };
        Box::pin(std::future::ready(next))
    }
}

impl Wire for Line {
    fn send(
        &self,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Answer, Unanswered>> + Send + '_>> {
        let shown = match request.url.query() {
            Some(query) => format!("{} {}?{query}", request.method, request.url.path()),
            None => format!("{} {}", request.method, request.url.path()),
        };
        self.asked.lock().unwrap().push(shown);
        let ask = Ask {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            query: request.url.query_pairs().into_owned().collect(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
                .collect(),
            body: serde_json::from_slice(&request.body).unwrap_or(Json::Null),
        };
        Box::pin(std::future::ready(Ok((self.far)(&ask))))
    }

    fn open(
        &self,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Flow, Unanswered>> + Send + '_>> {
        Box::pin(async move {
            let answer = self.send(request).await?;
            let breaks = self.breaks.lock().unwrap().pop();
            let body = answer.body.slice(..breaks.unwrap_or(answer.body.len()).min(answer.body.len()));
            let mut pieces: Vec<Bytes> =
                (0..body.len()).step_by(30_001).map(|at| body.slice(at..body.len().min(at + 30_001))).collect();
            pieces.reverse();
            let head = Head { status: answer.status, headers: answer.headers, waited: answer.took };
            Ok(Flow::new(head, Box::new(Torn(pieces, breaks.is_some()))))
        })
    }

    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> jiff::Timestamp {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    Answer { status, headers: map, body: Bytes::from(body.to_owned()), took: Duration::ZERO }
}

fn good(body: Json) -> Answer {
    answer(200, &[("content-type", "application/json")], &body.to_string())
}

/// A pack whose stream `things` is read so, with a far side.
struct Rig {
    pack: &'static Pack,
    line: Arc<Line>,
    mode: Mode,
    state: Option<std::path::PathBuf>,
    given: Vec<(&'static str, &'static str)>,
}

/// What a reading gave.
struct Got {
    parts: Vec<Part>,
    error: Option<Error>,
    notes: Vec<String>,
    asked: Vec<String>,
}

impl Got {
    fn ids(&self) -> Vec<i64> {
        self.parts.iter().flat_map(|part| ids(&part.bytes)).collect()
    }

    fn whole(self) -> Self {
        assert!(self.error.is_none(), "{:?}", self.error);
        self
    }

    /// Where every slice stands behind the first so many parts.
    fn settled(&self, parts: usize) -> Vec<(SliceId, Settled)> {
        let mut settled: BTreeMap<SliceId, Settled> = BTreeMap::new();
        for part in &self.parts[..parts] {
            settled.insert(part.slice.clone(), Settled { position: part.end.clone(), done: part.last_of_slice });
        }
        settled.into_iter().collect()
    }
}

fn ids(bytes: &[u8]) -> Vec<i64> {
    let text = [b"[", bytes, b"]"].concat();
    let all: Vec<Json> =
        serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&text)));
    all.iter().map(|record| record["id"].as_i64().unwrap_or(-1)).collect()
}

fn rig(streams: &str, far: impl Fn(&Ask) -> Answer + Send + Sync + 'static) -> Rig {
    let text = format!(
        "pack: test\nabout: \"A test.\"\nparams:\n  accounts: {{ about: \"Accounts.\" }}\ntransport:\n  base: https://far.example/v1\nstreams:\n{streams}"
    );
    let file = File::new("test.yaml", text);
    let mut findings = Vec::new();
    let raw = yaml::parse(&file, &mut findings).unwrap();
    let pack = Pack::read(&file, &raw, &mut findings);
    let told: Vec<String> =
        findings.iter().map(|f| format!("{:?} {}", f.place.as_ref().map(|p| p.line), f.cause)).collect();
    let pack: &'static Pack = Box::leak(Box::new(pack.unwrap_or_else(|| panic!("{told:#?}"))));
    let line = Arc::new(Line { far: Arc::new(far), asked: Mutex::default(), breaks: Mutex::default() });
    Rig { pack, line, mode: Mode::Upsert, state: None, given: Vec::new() }
}

/// A stream `things` with a key.
fn things(read: &str, far: impl Fn(&Ask) -> Answer + Send + Sync + 'static) -> Rig {
    rig(&format!("  things:\n    key: id\n    read:\n      path: /things\n{read}"), far)
}

fn place() -> Place {
    Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() }
}

impl Rig {
    fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    fn with<R>(
        &self,
        settled: &[(SliceId, Settled)],
        only: Option<(&SliceId, &Position)>,
        window: Option<&Window>,
        act: impl FnOnce(&ReadRequest<'_>, Caller) -> R,
    ) -> R {
        let spanned = |text: &str| Spanned { value: text.to_owned(), place: place() };
        let connector = Connector {
            state: self.state.clone(),
            with: self
                .given
                .iter()
                .map(|(name, value)| {
                    let node = crate::config::Node::Text(crate::config::Text::literal(*value));
                    (spanned(name), Spanned { value: node, place: place() })
                })
                .collect(),
            retry_tries: 1,
            ..Connector::new("far", "test", place())
        };
        let stream = Stream::new("things", place());
        let caller =
            Caller::new(Arc::new(Given::new(self.pack, connector.clone())), Arc::clone(&self.line) as Arc<dyn Wire>);
        let request = ReadRequest {
            root: std::path::Path::new("."),
            connector: &connector,
            stream: &stream,
            format: None,
            mode: self.mode,
            settled,
            only,
            window,
        };
        act(&request, caller)
    }

    fn open(
        &self,
        settled: &[(SliceId, Settled)],
        only: Option<(&SliceId, &Position)>,
        window: Option<&Window>,
    ) -> Result<Box<dyn Source>> {
        self.with(settled, only, window, |request, caller| super::source(self.pack, request, caller))
    }

    fn read_with(
        &self,
        settled: &[(SliceId, Settled)],
        only: Option<(&SliceId, &Position)>,
        window: Option<&Window>,
    ) -> Got {
        self.line.asked.lock().unwrap().clear();
        let mut got = Got { parts: Vec::new(), error: None, notes: Vec::new(), asked: Vec::new() };
        match self.open(settled, only, window) {
            Err(error) => got.error = Some(error),
            Ok(mut source) => {
                loop {
                    match source.next() {
                        Ok(Some(part)) => got.parts.push(part),
                        Ok(None) => break,
                        Err(error) => {
                            got.error = Some(error);
                            break;
                        }
                    }
                }
                got.notes = source.notes();
                got.notes.extend(if got.error.is_none() { source.acknowledge() } else { Vec::new() });
            }
        }
        got.asked.clone_from(&self.line.asked.lock().unwrap());
        got
    }

    fn read(&self, settled: &[(SliceId, Settled)]) -> Got {
        self.read_with(settled, None, None)
    }

    fn resumption(&self) -> Resumption {
        self.with(&[], None, None, |request, _| super::resumption(self.pack, request))
    }

    /// Reads all, then stops behind every part and goes on: what was settled never comes again, and
    /// nothing is missing. Every part is read again alone, too, as after a crash.
    fn everything(&self, wanted: &[i64]) -> Got {
        let all = self.read(&[]).whole();
        assert_eq!(all.ids(), wanted);
        for at in 0..all.parts.len() {
            let settled = all.settled(at);
            let rest = self.read(&settled).whole();
            let before: Vec<i64> = all.parts[..at].iter().flat_map(|part| ids(&part.bytes)).collect();
            let after: Vec<i64> = rest.ids();
            match self.resumption() {
                Resumption::Exact => assert_eq!([before, after].concat(), wanted, "behind part {at}"),
                _ => assert!(wanted.iter().all(|id| before.contains(id) || after.contains(id)), "behind part {at}"),
            }
            let part = &all.parts[at];
            let again = self.read_with(&settled, Some((&part.slice, &part.end)), None);
            match again.error {
                // Pages that shift cannot be read again alone; then the road sends them once more.
                Some(ref error) if self.resumption() != Resumption::Exact && at > 0 => {
                    assert_eq!(error.code().id, crate::error::codes::sync::DOUBT.id);
                }
                _ => assert_eq!(again.whole().ids(), ids(&part.bytes), "part {at} again"),
            }
        }
        all
    }
}

/// Records from one number to another, both ends excluded at the top.
fn list(from: usize, to: usize) -> Vec<Json> {
    (from..to).map(|id| json!({ "id": id, "name": format!("thing \"{id}\" ]") })).collect()
}

fn numbers(to: i64) -> Vec<i64> {
    (0..to).collect()
}

const ALL: usize = 25;

#[test]
fn one_page() {
    things("", |_| good(json!(list(0, 3)))).everything(&numbers(3));
    things("      records: d.items\n", |_| good(json!({ "d": { "items": list(0, 3) } }))).everything(&numbers(3));
    things("      records: d\n", |_| good(json!({ "d": { "id": 0 } }))).everything(&[0]);
}

#[test]
fn numbered_pages() {
    let far = |ask: &Ask| {
        let from = (ask.number("page", 1) - 1) * 10;
        good(json!({ "items": list(from.min(ALL), (from + 10).min(ALL)), "total": ALL }))
    };
    let pages = |stop: &str| {
        format!("      records: items\n      pages: {{ kind: page, send: {{ query: page }}, size: 10{stop} }}\n")
    };
    let all = things(&pages(""), far).everything(&numbers(25));
    assert!(all.asked.len() >= 4);
    let all = things(&pages(", stop: { short: true }, ahead: 0"), far).everything(&numbers(25));
    assert_eq!(all.asked, ["GET /v1/things?page=1", "GET /v1/things?page=2", "GET /v1/things?page=3"]);
    let all =
        things(&pages(", stop: { total: true, empty: false }, total: answer.body.total"), far).everything(&numbers(25));
    assert_eq!(all.asked.len(), 3);
    let all = things(&pages(", stop: { when: \"page.count >= 20\" }, ahead: 0"), far).everything(&numbers(20));
    assert_eq!(all.asked.len(), 2);
}

#[test]
fn offsets() {
    let far = |ask: &Ask| {
        let (from, size) = (ask.number("skip", 0), ask.number("take", 7));
        good(json!(list(from.min(ALL), (from + size).min(ALL))))
    };
    let pages = "      pages: { kind: offset, send: { query: skip }, size: 10, send_size: { query: take } }\n";
    things(pages, far).everything(&numbers(25));
    // The far side gives fewer than it was asked for.
    let far = |ask: &Ask| {
        let from = ask.number("skip", 0);
        good(json!(list(from.min(ALL), (from + 6).min(ALL))))
    };
    things(pages, far).everything(&numbers(25));
    let far =
        |ask: &Ask| good(json!(list((ask.number("start", 1) - 1).min(ALL), (ask.number("start", 1) + 9).min(ALL))));
    things("      pages: { kind: offset, send: { query: start }, first: 1 }\n", far).everything(&numbers(25));
}

/// Pages of ten by a token that is the next number.
fn by_token(ask: &Ask, name: &str) -> (Vec<Json>, Option<String>) {
    let from = ask.number(name, 0);
    let to = (from + 10).min(ALL);
    (list(from, to), (to < ALL).then(|| to.to_string()))
}

#[test]
fn tokens() {
    let far = |ask: &Ask| {
        let (items, next) = by_token(ask, "after");
        good(json!({ "paging": { "next": next }, "items": items }))
    };
    let rig = things(
        "      records: items\n      pages: { kind: token, next: answer.body.paging.next, send: { query: after } }\n",
        far,
    );
    assert_eq!(rig.resumption(), Resumption::Exact);
    let all = rig.everything(&numbers(25));
    assert_eq!(all.asked, ["GET /v1/things", "GET /v1/things?after=10", "GET /v1/things?after=20"]);
    // In a header, and the text `null` at the end.
    let far = |ask: &Ask| {
        let (items, next) = by_token(ask, "locator");
        answer(200, &[("x-locator", next.as_deref().unwrap_or("null"))], &json!(items).to_string())
    };
    let pages = "      pages:\n        kind: token\n        next: 'answer.headers[\"x-locator\"] == \"null\" ? null : answer.headers[\"x-locator\"]'\n        send: { query: locator }\n";
    things(pages, far).everything(&numbers(25));
    // In the body of the request, two at once, and an empty page in between.
    let far = |ask: &Ask| {
        let from = ask.body["cursor"].as_u64().unwrap_or(0) as usize;
        if from > 0 {
            assert_eq!(ask.body["mark"], json!(format!("m{from}")));
        }
        let items = if (8..12).contains(&from) { Vec::new() } else { list(from, (from + 4).min(ALL)) };
        let items: Vec<Json> =
            items.into_iter().filter(|item| !(8..12).contains(&item["id"].as_u64().unwrap())).collect();
        let to = from + 4;
        good(json!({ "more": to < ALL, "cursor": to, "mark": format!("m{to}"), "items": items }))
    };
    let pages = "      method: POST\n      body: { limit: 4 }\n      records: items\n      pages:\n        kind: token\n        next: 'answer.body.more ? answer.body.cursor : null'\n        send: { body: cursor }\n        also: [{ next: answer.body.mark, send: { body: mark } }]\n";
    let wanted: Vec<i64> = (0..25).filter(|id| !(8..12).contains(id)).collect();
    things(pages, far).everything(&wanted);
}

#[test]
fn links_and_addresses() {
    let next = |ask: &Ask, relative: bool| {
        let (items, next) = by_token(ask, "from");
        let base = if relative { "?x=1&from=" } else { "https://far.example/v1/things?x=1&from=" };
        (items, next.map(|next| format!("{base}{next}")))
    };
    for relative in [true, false] {
        let far = move |ask: &Ask| {
            let (items, next) = next(ask, relative);
            let link = next.map(|next| format!("<{next}>; rel=\"next\", </>; rel=\"first\"")).unwrap_or_default();
            answer(200, &[("link", &link)], &json!(items).to_string())
        };
        let all = things("      query: { x: 1 }\n      pages: { kind: link }\n", far).everything(&numbers(25));
        assert_eq!(all.asked[1], "GET /v1/things?x=1&from=10");
        let far = move |ask: &Ask| {
            let (items, next) = next(ask, relative);
            good(json!({ "value": items, "@odata.nextLink": next }))
        };
        things("      records: value\n      pages: { kind: odata }\n", far).everything(&numbers(25));
        let far = move |ask: &Ask| {
            let (items, next) = next(ask, relative);
            good(
                json!({ "entry": items.into_iter().map(|item| json!({ "resource": item })).collect::<Vec<_>>(), "next": next.map(|n| vec![n]).unwrap_or_default() }),
            )
        };
        let read = "      records: entry[*].resource\n      pages: { kind: url, next: 'answer.body.next[?0].orValue(null)' }\n";
        things(read, far).everything(&numbers(25));
    }
}

#[test]
fn last_record_relay_and_sequence() {
    let far = |ask: &Ask| {
        let from = ask.get("starting_after").map_or(0, |id| id.parse::<usize>().unwrap() + 1);
        let to = (from + 10).min(ALL);
        good(json!({ "data": list(from, to), "has_more": to < ALL }))
    };
    let read = "      records: data\n      pages: { kind: last, next: page.last.id, send: { query: starting_after }, stop: { when: '!answer.body.has_more' } }\n";
    let all = things(read, far).everything(&numbers(25));
    assert_eq!(all.asked[2], "GET /v1/things?starting_after=19");
    let far = |ask: &Ask| {
        let from = ask.body["variables"]["after"].as_str().map_or(0, |text| text[1..].parse().unwrap());
        let to = (from + 10).min(ALL);
        let edges: Vec<Json> = list(from, to).into_iter().map(|node| json!({ "node": node })).collect();
        good(
            json!({ "data": { "things": { "edges": edges, "pageInfo": { "endCursor": format!("c{to}"), "hasNextPage": to < ALL } } } }),
        )
    };
    let read = "      method: POST\n      body: { query: \"{ things }\", variables: {} }\n      records: data.things.edges[*].node\n      pages: { kind: relay, send: { body: variables.after } }\n";
    things(read, far).everything(&numbers(25));
    let far = |ask: &Ask| {
        let from = ask.number("from", 0);
        let to = (from + 10).min(ALL);
        good(json!({ "next": to, "items": list(from, to) }))
    };
    let read = "      records: items\n      absent: empty\n      pages: { kind: sequence, next: answer.body.next, send: { query: from } }\n";
    things(read, far).everything(&numbers(25));
}

#[test]
fn what_never_ends_or_is_not_whole_is_no_success() {
    let check = |read: &str, far: fn(&Ask) -> Answer, code: &str, taken: usize| {
        let got = things(read, far).read(&[]);
        let error = got.error.as_ref().unwrap_or_else(|| panic!("{code}: no error, {:?}", got.ids()));
        assert_eq!((error.code().id, got.ids().len()), (code, taken), "{error:?}");
    };
    let token = "      records: items\n      pages: { kind: token, next: answer.body.next, send: { query: after } }\n";
    check(
        token,
        |ask| good(json!({ "items": list(ask.number("after", 0), ask.number("after", 0) + 2), "next": 7 })),
        "connect-pages-repeated",
        4,
    );
    check(
        token,
        |ask| good(json!({ "items": list(0, 2), "next": ask.number("after", 0) + 1 })),
        "connect-pages-repeated",
        4,
    );
    check(token, |_| good(json!({ "items": list(0, 2), "next": ["x"] })), "connect-template-failed", 2);
    let most = "      pages: { kind: page, send: { query: p }, most: 3 }\n";
    check(most, |ask| good(json!(list(ask.number("p", 0), ask.number("p", 0) + 1))), "connect-pages-endless", 3);
    let total = "      records: items\n      pages: { kind: page, send: { query: p }, total: answer.body.total }\n";
    check(
        total,
        |ask| {
            good(
                json!({ "total": 9, "items": list(ask.number("p", 0), ask.number("p", 0) + usize::from(ask.number("p", 0) < 3)) }),
            )
        },
        "connect-pages-short",
        2,
    );
    let suspicious = "      about_empty: suspicious\n";
    check(suspicious, |_| good(json!([])), "connect-empty-suspicious", 0);
    for garbage in [
        "",
        "<html>Sign in</html>",
        "{\"items\":[{\"id\":1},{\"id\":",
        "{\"items\":[{\"id\":1}]",
        "{\"items\":7}",
        "{\"error\":\"no\"}",
        "{\"items\":[{\"id\":1}]} x",
        "{\"items\":[{\"id\":1}],}",
    ] {
        let got = things("      records: items\n", move |_| answer(200, &[], garbage)).read(&[]);
        assert_eq!(got.error.map(|error| error.code().id), Some("connect-answer-unreadable"), "{garbage}");
        assert!(got.parts.is_empty());
    }
    let empty =
        things("      records: items\n      absent: empty\n", |_| good(json!({ "total": 0 }))).read(&[]).whole();
    assert!(empty.ids().is_empty());
    // A list that is null is an empty one; an answer that is null, or what leads to the list, is none.
    assert!(things("      records: items\n", |_| good(json!({ "items": null }))).read(&[]).whole().ids().is_empty());
    for (records, body) in [("items", json!(null)), ("data.items", json!({ "data": null }))] {
        let got = things(&format!("      records: {records}\n"), move |_| good(body.clone())).read(&[]);
        assert_eq!(got.error.map(|error| error.code().id), Some("connect-answer-unreadable"), "{records}");
    }
}

#[test]
fn pages_that_shift_are_read_again_rather_than_missed() {
    // Numbered pages have no place to come back to: after a crash all of them come again.
    let far = |ask: &Ask| {
        good(json!(list(((ask.number("page", 1) - 1) * 10).min(ALL), (ask.number("page", 1) * 10).min(ALL))))
    };
    let rig = things("      pages: { kind: page, send: { query: page }, size: 10 }\n", far);
    assert_eq!(rig.resumption(), Resumption::SliceStart);
    let all = rig.read(&[]).whole();
    assert_eq!(rig.read(&all.settled(1)).whole().ids(), numbers(25));
}

/// Things that changed: `id`, `at` (five of them share each second).
fn changed(ask: &Ask, count: usize) -> Vec<Json> {
    let since = ask.get("since").unwrap_or("").to_owned();
    let until = ask.get("until").unwrap_or("9").to_owned();
    (0..count)
        .map(|id| json!({ "id": id, "at": format!("2026-01-01T00:00:{:02}Z", id / 5) }))
        .filter(|record| {
            record["at"].as_str().unwrap() >= since.as_str() && record["at"].as_str().unwrap() < until.as_str()
        })
        .collect()
}

const SORTED: &str = "      records: items\n      pages: { kind: token, next: answer.body.next, send: { query: after } }\n      cursor: { field: at, order: ascending, send: { query: since } }\n";

fn paged(all: Vec<Json>, ask: &Ask, size: usize) -> Answer {
    let from = ask.number("after", 0).min(all.len());
    let to = (from + size).min(all.len());
    good(json!({ "items": all[from..to], "next": (to < all.len()).then_some(to) }))
}

#[test]
fn a_sorted_cursor_reads_what_is_new_and_nothing_twice() {
    let rig = things(SORTED, |ask| paged(changed(ask, 23), ask, 7)).mode(Mode::Append);
    assert_eq!(rig.resumption(), Resumption::Exact);
    let all = rig.everything(&numbers(23));
    // Nothing new; then more with the value that was read last, and behind it.
    let settled = all.settled(all.parts.len());
    assert!(rig.read(&settled).whole().ids().is_empty());
    let rig = things(SORTED, |ask| paged(changed(ask, 31), ask, 7)).mode(Mode::Append);
    let more = rig.read(&settled).whole();
    assert_eq!(more.ids(), (23..31).collect::<Vec<_>>());
    assert!(more.asked[0].contains("since=2026-01-01T00%3A00%3A04Z"), "{:?}", more.asked);
}

#[test]
fn a_cursor_that_does_not_come_in_order_is_refused() {
    let got = things(SORTED, |_| {
        good(json!({ "items": [{ "id": 1, "at": "2026-01-02T00:00:00Z" }, { "id": 2, "at": "2026-01-01T00:00:00Z" }] }))
    })
    .read(&[]);
    assert_eq!(got.error.unwrap().code().id, "connect-cursor-missed");
    let got = things(SORTED, |_| good(json!({ "items": [{ "id": 1, "at": "soon" }] }))).read(&[]);
    assert_eq!(got.error.unwrap().code().id, "connect-cursor-unfit");
}

#[test]
fn an_unsorted_cursor_moves_at_the_end() {
    let read = SORTED.replace("order: ascending, ", "");
    let mixed = |ask: &Ask, count| {
        let mut all = changed(ask, count);
        all.reverse();
        let third = all.len() / 3;
        all.rotate_left(third);
        paged(all, ask, 7)
    };
    let rig = things(&read, move |ask| mixed(ask, 23));
    let all = rig.read(&[]).whole();
    let mut got = all.ids();
    got.sort_unstable();
    assert_eq!(got, numbers(23));
    let settled = all.settled(all.parts.len());
    let rig = things(&read, move |ask| mixed(ask, 31));
    let mut more = rig.read(&settled).whole().ids();
    more.sort_unstable();
    assert_eq!(more, (23..31).collect::<Vec<_>>());
}

#[test]
fn the_newest_first_until_a_known_one() {
    let read = "      records: items\n      pages: { kind: token, next: answer.body.next, send: { query: after }, stop: { known: true } }\n      cursor: { field: at, order: descending }\n";
    let newest = |ask: &Ask, count| {
        let mut all = changed(ask, count);
        all.reverse();
        paged(all, ask, 3)
    };
    let rig = things(read, move |ask| newest(ask, 23));
    let all = rig.read(&[]).whole();
    assert_eq!(all.ids().len(), 23);
    let rig = things(read, move |ask| newest(ask, 31));
    let more = rig.read(&all.settled(all.parts.len())).whole();
    assert_eq!(more.ids(), (23..31).rev().collect::<Vec<_>>());
    assert!(more.asked.len() <= 4, "{:?}", more.asked);
}

#[test]
fn overlap_lag_windows_and_bounds() {
    let read = |cursor: &str| {
        format!(
            "      records: items\n      cursor: {{ field: at, order: ascending, send: {{ query: since }}, until: {{ query: until }}{cursor} }}\n"
        )
    };
    let rig = things(&read(", overlap: 2s"), |ask| good(json!({ "items": changed(ask, 23) })));
    let all = rig.read(&[]).whole();
    assert_eq!(all.ids().len(), 23);
    assert!(all.asked[0].contains("until=2026-06-01T00%3A00%3A00Z"), "{:?}", all.asked);
    let again = rig.read(&all.settled(all.parts.len())).whole();
    assert!(again.asked[0].contains("since=2026-01-01T00%3A00%3A02Z"), "{:?}", again.asked);
    assert_eq!(again.ids(), (10..23).collect::<Vec<_>>());
    let appended = things(&read(", overlap: 2s"), |_| good(json!([]))).mode(Mode::Append).read(&[]);
    assert_eq!(appended.error.unwrap().code().id, "connect-cursor-unfit");
    let rig = things(&read(", lag: 60s"), |ask| good(json!({ "items": changed(ask, 2) })));
    assert!(rig.read(&[]).whole().asked[0].contains("until=2026-05-31T23%3A59%3A00Z"));
    // Windows: half open, so that nothing comes twice and nothing is missed.
    let rig = things(&read(", window: 30d, start: \"2025-12-31T23:59:58Z\""), |ask| {
        good(json!({ "items": changed(ask, 23) }))
    });
    let all = rig.everything(&numbers(23));
    assert_eq!(all.asked.len(), 6, "{:?}", all.asked);
    let window = Window { since: Some("2026-01-01T00:00:01Z".into()), until: Some("2026-01-01T00:00:03Z".into()) };
    let rig = things(&read(""), |ask| good(json!({ "items": changed(ask, 23) })));
    assert_eq!(rig.read_with(&[], None, Some(&window)).whole().ids(), (5..15).collect::<Vec<_>>());
    let wrong = Window { since: Some("yesterday".into()), until: None };
    assert_eq!(rig.read_with(&[], None, Some(&wrong)).error.unwrap().code().id, "connect-cursor-unfit");
}

#[test]
fn ceilings() {
    // Twenty records of one question at most: reading goes on from the cursor.
    let read = format!("{SORTED}      ceiling: {{ records: 20 }}\n")
        .replace("send: { query: after } }", "send: { query: after }, size: 7 }");
    let far = |ask: &Ask| {
        let all = changed(ask, 90);
        let from = ask.number("after", 0);
        if from + 7 > 20 {
            return answer(400, &[], "{\"error\":\"window\"}");
        }
        let to = (from + 7).min(all.len());
        good(json!({ "items": all[from..to], "next": (to < all.len()).then_some(to) }))
    };
    things(&read, far).mode(Mode::Append).everything(&numbers(90));
    // All records have one value: the rest cannot be asked for.
    let far = |ask: &Ask| {
        let all: Vec<Json> = (0..90).map(|id| json!({ "id": id, "at": "2026-01-01T00:00:00Z" })).collect();
        paged(all, ask, 7)
    };
    assert_eq!(things(&read, far).read(&[]).error.unwrap().code().id, "connect-ceiling");
    // Full answers are halved.
    let read = "      records: items\n      cursor: { field: at, order: none, type: timestamp, send: { query: since }, until: { query: until }, window: 30d, start: \"2026-01-01T00:00:00Z\" }\n      ceiling: { records: 20, by: split }\n";
    let far = |ask: &Ask| {
        let mut all = changed(ask, 90);
        all.truncate(20);
        good(json!({ "items": all }))
    };
    let all = things(read, far).read(&[]).whole();
    assert_eq!(all.ids(), numbers(90));
}

#[test]
fn opaque_positions() {
    // Plaid's way: the position moves when the loop is done; a change meanwhile begins it anew.
    let read = "      records: [added, modified]\n      pages: { kind: token, next: 'answer.body.has_more ? answer.body.next_cursor : null', send: { query: cursor } }\n      cursor: { next: answer.body.next_cursor, send: { query: cursor }, expires: 30d }\n      deletes: { records: removed }\n";
    let far = |ask: &Ask| {
        let from = ask.number("cursor", 0);
        let to = (from + 2).min(6);
        good(
            json!({ "added": list(from, (from + 1).min(to)), "modified": list((from + 1).min(to), to), "removed": [{ "id": 100 + from }], "next_cursor": to.to_string(), "has_more": to < 6 }),
        )
    };
    let rig = things(read, far);
    assert_eq!(rig.resumption(), Resumption::SliceStart);
    let all = rig.read(&[]).whole();
    assert_eq!(all.ids(), numbers(6));
    assert_eq!(all.asked, ["GET /v1/things", "GET /v1/things?cursor=2", "GET /v1/things?cursor=4"]);
    // In the middle it stands where it began.
    assert_eq!(rig.read(&all.settled(2)).whole().ids(), numbers(6));
    let settled = all.settled(all.parts.len());
    assert_eq!(rig.read(&settled).whole().asked, ["GET /v1/things?cursor=6"]);
    let gone = things(read, far).mode(Mode::Delete).read(&[]).whole();
    assert_eq!(gone.ids(), [100, 102, 104]);
    // Too old: everything is read anew, and said.
    let mut old = settled;
    old[0].1.position.extra["web"]["kept"] = json!(1_000_000_000);
    let anew = rig.read(&old).whole();
    assert_eq!(anew.ids(), numbers(6));
    assert!(anew.notes[0].contains("read anew"), "{:?}", anew.notes);
    let refused = things(read, far).mode(Mode::Append).read(&old);
    assert_eq!(refused.error.unwrap().code().id, "connect-cursor-changed");
}

#[test]
fn a_delta_link() {
    let read = "      records: value\n      pages: { kind: odata }\n      cursor: { next: 'answer.body[\"@odata.deltaLink\"]', send: url }\n      deletes: { when: 'has(record[\"@removed\"])' }\n";
    let far = |ask: &Ask| match ask.get("t") {
        None => good(
            json!({ "value": [{ "id": 1 }, { "id": 2, "@removed": { "reason": "deleted" } }], "@odata.nextLink": "https://far.example/v1/things?t=next" }),
        ),
        Some("next") => {
            good(json!({ "value": [{ "id": 3 }], "@odata.deltaLink": "https://far.example/v1/things?t=d1" }))
        }
        Some("d1") => good(
            json!({ "value": [{ "id": 4 }, { "id": 5, "@removed": {} }], "@odata.deltaLink": "https://far.example/v1/things?t=d2" }),
        ),
        Some(other) => panic!("{other}"),
    };
    let rig = things(read, far);
    let all = rig.read(&[]).whole();
    assert_eq!(all.ids(), [1, 3]);
    assert!(all.notes[0].contains("mode `delete`"), "{:?}", all.notes);
    let more = rig.read(&all.settled(all.parts.len())).whole();
    assert_eq!((more.ids(), more.asked), (vec![4], vec!["GET /v1/things?t=d1".to_owned()]));
    let rig = rig.mode(Mode::Delete);
    let all = rig.read(&[]).whole();
    assert_eq!(all.ids(), [2]);
    assert_eq!(rig.read(&all.settled(all.parts.len())).whole().ids(), [5]);
    // No link at the end: nobody would know where to go on.
    let got = things(read, |_| good(json!({ "value": [{ "id": 1 }] }))).read(&[]);
    assert_eq!(got.error.unwrap().code().id, "connect-cursor-missed");
}

#[test]
fn records_are_kept_and_shaped() {
    let read = "      records: results\n      keep: record.archived == false\n      shape:\n        lift: properties\n        add: { account: \"{{ answer.body.account }}\", hs: \"{{ record.id }}\" }\n        drop: [archived]\n";
    let far = |_: &Ask| {
        good(json!({ "account": 7, "results": [
            { "id": 1, "archived": false, "properties": { "email": "a@example.com", "id": 99 } },
            { "id": 2, "archived": true, "properties": {} },
        ] }))
    };
    let all = things(read, far).everything(&[1]);
    let record: Json = serde_json::from_slice(&all.parts[0].bytes).unwrap();
    assert_eq!(record, json!({ "id": 1, "email": "a@example.com", "account": 7, "hs": 1 }));
    let far =
        |_: &Ask| good(json!({ "edges": [{ "cursor": "x", "node": { "id": 1, "n": 1.50 } }, { "cursor": "y" }] }));
    let all =
        things("      records: edges\n      shape: { take: node, add: { cursor: \"{{ record.cursor }}\" } }\n", far)
            .everything(&[1]);
    assert_eq!(all.parts[0].bytes, br#"{"id":1,"n":1.5,"cursor":"x"}"#);
}

#[test]
fn other_formats() {
    let text = |format: &str, more: &str, body: &'static str| {
        let read = format!("      format: {format}\n{more}");
        things(&read, move |_| answer(200, &[], body)).read(&[]).whole()
    };
    let lines = text("ndjson", "", "{\"id\":1}\n\n{\"id\":2}\r\n");
    assert_eq!(lines.parts[0].bytes, b"{\"id\":1}\n\n{\"id\":2}\r\n");
    assert_eq!(text("ndjson", "      keep: record.id == 2\n", "{\"id\":1}\n{\"id\":2}").ids(), [2]);
    let csv = text("csv", "      format_options: { delimiter: \";\" }\n", "id;name\n1;\"a;b\"\n2;c\n");
    assert_eq!(csv.parts[0].header.columns, ["id", "name"]);
    assert_eq!(csv.parts[0].bytes, b"1;\"a;b\"\n2;c\n");
    let csv = text("csv", "      keep: record.name == \"c\"\n", "id,name\n1,b\n2,c\n");
    assert_eq!(csv.parts[0].bytes, br#"{"id":"2","name":"c"}"#);
    let xml = text(
        "xml",
        "      records: r.list.i\n      keep: record.id == \"2\"\n",
        "<r><list><i><id>1</id></i><i><id>2</id></i></list></r>",
    );
    assert_eq!(
        xml.parts.first().map(|part| String::from_utf8_lossy(&part.bytes).into_owned()).as_deref(),
        Some(r#"{"id":"2"}"#)
    );
}

const CHILDREN: &str = "  parents:\n    key: id\n    read:\n      path: /parents\n      pages: { kind: page, send: { query: page }, size: 2 }\n  things:\n    key: id\n    read:\n      path: \"/parents/{{ parent.id }}/things\"\n      shape: { add: { parent: \"{{ parent.id }}\" } }\n      each: { stream: parents, parallel: 3 }\n";

fn children(ask: &Ask, parents: usize) -> Answer {
    if ask.path == "/v1/parents" {
        let from = (ask.number("page", 1) - 1) * 2;
        return good(json!(list(from.min(parents), (from + 2).min(parents))));
    }
    let parent: usize = ask.path.split('/').nth(3).unwrap().parse().unwrap();
    good(json!(list(parent * 10, parent * 10 + parent)))
}

#[test]
fn children_of_children() {
    let streams = "  roots:\n    key: id\n    read: { path: /roots }\n  parents:\n    key: id\n    read:\n      path: \"/roots/{{ parent.id }}/parents\"\n      shape: { add: { root: \"{{ parent.id }}\" } }\n      each: { stream: roots, when: 'parent.id != 2' }\n  things:\n    key: id\n    read:\n      path: \"/roots/{{ parent.root }}/parents/{{ parent.id }}/things\"\n      each: { stream: parents }\n";
    let rig = rig(streams, |ask| match ask.path.split('/').skip(2).collect::<Vec<_>>().as_slice() {
        ["roots"] => good(json!(list(1, 4))),
        ["roots", "2", ..] => answer(500, &[], "nobody reads for that one"),
        ["roots", root, "parents"] => {
            let root: usize = root.parse().unwrap();
            good(json!(list(root * 10, root * 10 + 2)))
        }
        ["roots", _, "parents", parent, "things"] => {
            let parent: usize = parent.parse().unwrap();
            good(json!(list(parent * 10, parent * 10 + 1)))
        }
        _ => answer(404, &[], ""),
    });
    rig.everything(&[100, 110, 300, 310]);
}

#[test]
fn children_of_parents() {
    let rig = rig(CHILDREN, |ask| children(ask, 5));
    assert_eq!(rig.resumption(), Resumption::SliceStart);
    let all = rig.everything(&[10, 20, 21, 30, 31, 32, 40, 41, 42, 43]);
    assert!(all.parts.iter().all(|part| &*part.slice == "things"));
    // One that fails ends the run, or is left out and said.
    let broken = |ask: &Ask| if ask.path.contains("/2/") { answer(500, &[], "no") } else { children(ask, 5) };
    let got = super::tests::rig(CHILDREN, broken).read(&[]);
    assert_eq!(got.ids(), [10]);
    assert!(got.error.is_some());
    let got = super::tests::rig(&CHILDREN.replace("parallel: 3", "parallel: 3, on_fail: go_on"), broken).read(&[]);
    assert_eq!(got.ids(), [10, 30, 31, 32, 40, 41, 42, 43]);
    assert_eq!(got.error.unwrap().code().id, "connect-partition-failed");
}

#[test]
fn elements_of_a_list_each_with_a_cursor() {
    let read = "  things:\n    key: id\n    read:\n      path: \"/{{ parent }}/things\"\n      records: items\n      pages: { kind: token, next: answer.body.next, send: { query: after } }\n      cursor: { field: at, order: ascending, send: { query: since } }\n      each: { list: 'split(params.accounts, \",\")', key: parent, on_fail: go_on }\n";
    let far = |ask: &Ask| match ask.path.as_str() {
        "/v1/a/things" => paged(changed(ask, 12), ask, 5),
        "/v1/b/things" => paged(changed(ask, 3), ask, 5),
        _ => answer(403, &[], "{}"),
    };
    let mut rig = rig(read, far);
    rig.given = vec![("accounts", "a,b,c")];
    let got = rig.read(&[]);
    assert_eq!(got.ids(), [numbers(12), numbers(3)].concat(), "{:?}", got.error);
    assert_eq!(got.error.as_ref().unwrap().code().id, "connect-partition-failed");
    let settled = got.settled(got.parts.len());
    let slices: Vec<&str> = settled.iter().map(|(slice, _)| &**slice).collect();
    assert_eq!(slices, ["things/a", "things/b"]);
    assert!(rig.read(&settled).ids().is_empty());
    let part = got.parts.iter().find(|part| &*part.slice == "things/b").unwrap();
    let again = rig.read_with(&[], Some((&part.slice, &part.end)), None);
    assert_eq!(again.ids(), numbers(3), "{:?}", again.error);
}

const JOB: &str = "  things:\n    key: id\n    read:\n      path: \"/files/{{ job.part }}\"\n      format: ndjson\n      job:\n        submit: { method: POST, path: /jobs, body: { since: \"{{ cursor.value }}\" }, capture: { id: \"{{ answer.body.id }}\" } }\n        poll: { path: \"/jobs/{{ job.id }}\", done: 'answer.body.state == \"done\"', failed: 'answer.body.state == \"failed\"', say: \"{{ answer.body.why }}\", capture: { files: \"{{ answer.body.files }}\" } }\n        parts: job.files\n        clean: { method: DELETE, path: \"/jobs/{{ job.id }}\" }\n";

fn jobs(polls: &Mutex<usize>, ask: &Ask) -> Answer {
    let file = |from, to| list(from, to).iter().map(|record| format!("{record}\n")).collect::<String>();
    match (ask.method.as_str(), ask.path.as_str()) {
        ("POST", "/v1/jobs") => good(json!({ "id": "j1" })),
        ("GET", "/v1/jobs/j1") => {
            let mut polls = polls.lock().unwrap();
            *polls += 1;
            match *polls {
                1 => answer(200, &[("retry-after", "3")], "{\"state\":\"running\"}"),
                _ => good(json!({ "state": "done", "files": ["f1", "f2"] })),
            }
        }
        ("GET", "/v1/files/f1") => answer(200, &[], &file(0, 3)),
        ("GET", "/v1/files/f2") => answer(200, &[], &file(3, 5)),
        ("DELETE", "/v1/jobs/j1") => answer(202, &[], ""),
        other => panic!("{other:?}"),
    }
}

#[test]
fn jobs_are_ordered_waited_for_fetched_and_cleaned() {
    let polls = Mutex::new(0);
    let rig = rig(JOB, move |ask| jobs(&polls, ask));
    let got = rig.read(&[]).whole();
    assert_eq!(
        got.parts.iter().map(|part| part.bytes.split(|b| *b == b'\n').count() - 1).collect::<Vec<_>>()[..2],
        [3, 2]
    );
    assert_eq!(
        got.asked,
        [
            "POST /v1/jobs",
            "GET /v1/jobs/j1",
            "GET /v1/jobs/j1",
            "GET /v1/files/f1",
            "GET /v1/files/f2",
            "DELETE /v1/jobs/j1"
        ]
    );
    let failed = super::tests::rig(JOB, |ask| match ask.method.as_str() {
        "POST" => good(json!({ "id": "j1" })),
        _ => good(json!({ "state": "failed", "why": "too much" })),
    });
    let error = failed.read(&[]).error.unwrap();
    assert!(error.code().id == "connect-job-failed" && error.cause().contains("too much"), "{error:?}");
}

#[test]
fn a_job_is_found_again_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let polls = Mutex::new(0);
    let mut rig = rig(JOB, move |ask| jobs(&polls, ask));
    rig.state = Some(folder.path().to_path_buf());
    // Killed while the second file is read: the first one is settled.
    let mut source = rig.open(&[], None, None).unwrap();
    let first = source.next().unwrap().unwrap();
    drop(source);
    let settled = vec![(first.slice.clone(), Settled { position: first.end.clone(), done: false })];
    let rest = rig.read(&settled).whole();
    assert_eq!(rest.asked, ["GET /v1/jobs/j1", "GET /v1/files/f2", "DELETE /v1/jobs/j1"]);
    assert!(rest.notes[0].contains("gone on with"), "{:?}", rest.notes);
    assert_eq!(std::fs::read_dir(folder.path().join("jobs")).unwrap().count(), 0);
    // Before anything of it was settled.
    let mut source = rig.open(&[], None, None).unwrap();
    source.next().unwrap().unwrap();
    drop(source);
    let all = rig.read(&[]).whole();
    assert_eq!(all.asked[..2], ["GET /v1/jobs/j1", "GET /v1/files/f1"]);
}

#[test]
fn a_stream_without_a_cursor_is_appended_once() {
    let rig = things("", |_| good(json!(list(0, 3)))).mode(Mode::Append);
    let all = rig.read(&[]).whole();
    let again = rig.read(&all.settled(all.parts.len())).whole();
    assert!(again.ids().is_empty() && again.asked.is_empty());
    assert!(again.notes[0].contains("--full"), "{:?}", again.notes);
    let rig = things("", |_| good(json!(list(0, 3))));
    let all = rig.read(&[]).whole();
    assert_eq!(rig.read(&all.settled(all.parts.len())).whole().ids(), [0, 1, 2]);
}

#[test]
fn a_group_that_is_not_what_it_was_is_in_doubt() {
    let rig = things("", |_| good(json!(list(0, 3))));
    let all = rig.read(&[]).whole();
    let part = &all.parts[0];
    let other = things("", |_| good(json!(list(0, 4))));
    let again = other.read_with(&[], Some((&part.slice, &part.end)), None);
    assert_eq!(again.error.unwrap().code().id, crate::error::codes::sync::DOUBT.id);
}
