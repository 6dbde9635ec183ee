//! Calls through every layer, against answers that are made up: retries, waits, sign-in, doubt.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::*;
use crate::config::{Node, Spanned, Text};
use crate::connect::pack::tests::{nowhere, pack};
use crate::connect::runtime::Runtime;
use crate::connect::web::draft::{Content, Purpose};
use crate::error::Retry as Again;

const S: i64 = 1_000_000_000;

/// A pack with a connector that says nothing but these secrets.
pub(crate) fn given_with(text: &str, secrets: &[(&str, &str)]) -> Arc<Given> {
    let mut connector = crate::connect::pack::tests::connector("t");
    let spanned = |text: &str| Spanned { value: text.to_owned(), place: nowhere() };
    for (name, value) in secrets {
        let node = Node::Text(Text { pieces: vec![crate::config::Piece::Literal((*value).to_owned())] });
        connector.auth.push((spanned(name), Spanned { value: node, place: nowhere() }));
    }
    Arc::new(Given::new(pack(text), connector))
}

pub(crate) fn given(text: &str) -> Arc<Given> {
    given_with(text, &[])
}

/// A wire that gives what it is told, one after the other, on a clock of its own.
struct Script {
    outcomes: Mutex<VecDeque<Result<Answer, Unanswered>>>,
    sent: Mutex<Vec<Request>>,
    now: AtomicI64,
}

impl Wire for Script {
    fn send(&self, request: Request) -> Later<'_, Result<Answer, Unanswered>> {
        self.sent.lock().unwrap().push(request);
        let next = self.outcomes.lock().unwrap().pop_front().expect("one more call than was expected");
        Box::pin(std::future::ready(next))
    }

    fn pause(&self, time: Duration) -> Later<'_, ()> {
        self.now.fetch_add(nanos(time), Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.now.load(Ordering::Relaxed))).unwrap()
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Answer, Unanswered> {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    Ok(Answer { status, headers, body: body.to_owned().into(), took: Duration::ZERO })
}

fn lost(sent: bool) -> Result<Answer, Unanswered> {
    Err(Unanswered { cause: "the connection broke".into(), sent, temporary: true })
}

const PLAIN: &str = "pack: t\ntransport: { base: 'https://api.example' }\nretry: { tries: 3 }\n";

struct Case {
    script: Arc<Script>,
    caller: Caller,
    runtime: Runtime,
}

fn case(pack: &str, secrets: &[(&str, &str)], outcomes: Vec<Result<Answer, Unanswered>>) -> Case {
    let script = Arc::new(Script {
        outcomes: Mutex::new(outcomes.into()),
        sent: Mutex::default(),
        now: AtomicI64::new(1000 * S),
    });
    let wire: Arc<dyn Wire> = script.clone();
    Case { caller: Caller::new(given_with(pack, secrets), wire), script, runtime: Runtime::start("test").unwrap() }
}

impl Case {
    fn call(&self, draft: Draft) -> Result<Answer, Box<Failure>> {
        let made = self.runtime.run(self.caller.call(draft));
        assert!(self.script.outcomes.lock().unwrap().is_empty(), "fewer calls than expected: {made:?}");
        made
    }

    fn passed(&self) -> i64 {
        self.script.now.load(Ordering::Relaxed) - 1000 * S
    }

    fn sent(&self) -> Vec<Request> {
        self.script.sent.lock().unwrap().clone()
    }
}

fn reading() -> Draft {
    Draft { base: "https://api.example".into(), path: "/v1/things".into(), ..Draft::default() }
}

fn writing(repeatable: bool) -> Draft {
    let purpose = Purpose { what: "batch 1".into(), writes: true, repeatable, ..Purpose::default() };
    let content = Content::Json(serde_json::json!({ "name": "Ada Lovelace" }));
    Draft { method: Method::POST, content, purpose, ..reading() }
}

#[test]
fn a_failing_call_is_tried_so_often_and_no_more() {
    let down = || answer(503, &[], "");
    let made = case(PLAIN, &[], vec![down(), down(), down()]);
    let failure = made.call(reading()).unwrap_err();
    assert_eq!((failure.class, failure.error.exit().number(), failure.doubt), (Class::Retry, 3, false));
    assert_eq!(failure.error.retriable(), Again::Spent);
    let made = case(PLAIN, &[], vec![down(), lost(true), answer(200, &[], "ok")]);
    assert_eq!(&made.call(reading()).unwrap().body[..], b"ok");
    // What cannot help is not tried again.
    for status in [400, 404, 422, 501] {
        let made = case(PLAIN, &[], vec![answer(status, &[], "")]);
        assert_eq!(made.call(reading()).unwrap_err().class, Class::Fail, "{status}");
    }
}

#[test]
fn what_may_have_taken_effect_is_only_repeated_where_it_does_no_harm() {
    let check = |repeatable: bool, outcomes: Vec<Result<Answer, Unanswered>>, ok: bool, doubt: bool| {
        let what = format!("{repeatable} {outcomes:?}");
        match case(PLAIN, &[], outcomes).call(writing(repeatable)) {
            Ok(_) => assert!(ok, "{what}"),
            Err(failure) => assert_eq!((ok, failure.doubt), (false, doubt), "{what}: {failure:?}"),
        }
    };
    let good = || answer(201, &[], "");
    // Dropped before it was sent: certainly nothing happened.
    check(false, vec![lost(false), good()], true, false);
    check(false, vec![lost(false), lost(false), lost(false)], false, false);
    // Dropped after: in doubt, and left to whoever can find out.
    check(false, vec![lost(true)], false, true);
    check(true, vec![lost(true), good()], true, false);
    check(true, vec![lost(true), lost(true), lost(true)], false, true);
    check(false, vec![answer(500, &[], "")], false, true);
    check(false, vec![answer(501, &[], "")], false, true);
    check(true, vec![answer(500, &[], ""), good()], true, false);
    // A refusal after a doubt does not take the doubt away.
    check(true, vec![lost(true), answer(422, &[], "")], false, true);
    check(false, vec![answer(422, &[], "")], false, false);
    // Too much was asked: nothing was done, so it is repeated.
    check(false, vec![answer(429, &[("retry-after", "1")], ""), good()], true, false);
}

#[test]
fn waits_are_as_long_as_the_system_says() {
    let made = case(
        PLAIN,
        &[],
        vec![
            answer(429, &[("retry-after", "30")], ""),
            answer(429, &[("retry-after-ms", "1500")], ""),
            answer(200, &[], ""),
        ],
    );
    made.call(reading()).unwrap();
    assert_eq!(made.passed(), 31_500_000_000);
    // A system that says when is asked as often as it takes.
    let mut many: Vec<_> = (0..20).map(|_| answer(429, &[("retry-after", "2")], "")).collect();
    many.push(answer(200, &[], ""));
    let made = case(PLAIN, &[], many);
    made.call(reading()).unwrap();
    assert_eq!(made.passed(), 40 * S);
    // One that does not is asked so often.
    let made = case(PLAIN, &[], vec![answer(429, &[], ""), answer(429, &[], ""), answer(429, &[], "")]);
    let failure = made.call(reading()).unwrap_err();
    assert_eq!((failure.class, failure.error.exit().number()), (Class::Wait, 3));
    // Longer than anybody waits inside a run: the run ends, and says when to go on.
    let made = case(PLAIN, &[], vec![answer(429, &[("retry-after", "86400")], "")]);
    let failure = made.call(reading()).unwrap_err();
    assert_eq!((failure.class, failure.error.exit().number()), (Class::Quota, 3));
    assert_eq!(failure.error.retriable(), Again::After(86_400));
    assert_eq!(made.passed(), 0);
    assert!(
        failure
            .error
            .facts()
            .iter()
            .any(|(name, value)| *name == "resume at" && value.starts_with("1970-01-02T00:16:4"))
    );
    // The next call finds the budget spent without asking.
    let failure = made.call(reading()).unwrap_err();
    assert_eq!((failure.class, failure.answer.is_none()), (Class::Quota, true));
}

/// A sign-in whose token is a number that goes up with each renewal.
#[derive(Default)]
struct Counter(AtomicU64);

impl SignIn for Counter {
    fn auth(&self) -> Later<'_, Result<Json>> {
        Box::pin(std::future::ready(Ok(Json::Null)))
    }

    fn prepare<'a>(&'a self, draft: &'a mut Draft) -> Later<'a, Result<u64>> {
        let number = self.0.load(Ordering::Relaxed);
        let spot = crate::connect::web::Spot::Header("authorization".into());
        let put = draft.put(&spot, Json::from(format!("Bearer token-{number}")));
        Box::pin(std::future::ready(put.map(|()| number)))
    }

    fn sign(&self, request: &mut Request) -> Result<()> {
        request.headers.insert("x-signed", "yes".parse().unwrap());
        Ok(())
    }

    fn close(&self) -> Later<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn renew(&self, number: u64) -> Later<'_, Result<bool>> {
        let new = self.0.compare_exchange(number, number + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        Box::pin(std::future::ready(Ok(new)))
    }
}

fn signed(case: &mut Case) {
    case.caller = case.caller.clone().signed_in(Arc::new(Counter::default()));
}

#[test]
fn a_sign_in_is_renewed_once() {
    let mut made = case(PLAIN, &[], vec![answer(401, &[], ""), answer(200, &[], "")]);
    signed(&mut made);
    made.call(writing(false)).unwrap();
    let sent: Vec<String> =
        made.sent().iter().map(|r| r.headers["authorization"].to_str().unwrap().to_owned()).collect();
    assert_eq!(sent, ["Bearer token-0", "Bearer token-1"]);
    let mut made = case(PLAIN, &[], vec![answer(401, &[], ""), answer(401, &[], r#"{"message":"go away"}"#)]);
    signed(&mut made);
    let failure = made.call(reading()).unwrap_err();
    assert_eq!((failure.class, failure.error.exit().number()), (Class::SignIn, 4));
    assert!(failure.error.cause().ends_with("answered 401: go away"), "{}", failure.error);
    // Nobody signed in: nothing to renew.
    let failure = case(PLAIN, &[], vec![answer(401, &[], "")]).call(reading()).unwrap_err();
    assert_eq!(failure.error.exit().number(), 4);
}

const WIDE: &str = "pack: t
auth: { needs: { key: {} } }
transport:
  base: 'https://api.example'
  hosts: ['eu.api.example']
  foreign_hosts: ['files.example']
  headers: { X-Version: '1' }
";

#[test]
fn credentials_stay_with_the_system() {
    let good = || answer(200, &[], "");
    let to = |url: &str| Draft {
        url: Some(url.into()),
        headers: vec![
            ("X-Version".into(), "1".into()),
            ("Cookie".into(), "a=b".into()),
            ("Range".into(), "bytes=0-9".into()),
        ],
        cookies: vec![("sid".into(), "1".into())],
        ..reading()
    };
    let mut made = case(WIDE, &[("key", "canary-secret")], vec![good(), good(), good()]);
    signed(&mut made);
    for (url, own) in [
        ("https://api.example/next", true),
        ("https://eu.api.example/next", true),
        ("https://files.example/f?sig=1", false),
    ] {
        made.runtime.run(made.caller.call(to(url))).unwrap();
        let sent = made.sent().pop().unwrap();
        for name in ["authorization", "cookie", "x-version", "x-signed"] {
            assert_eq!(sent.headers.contains_key(name), own, "{url}: {name}");
        }
        assert_eq!(sent.headers["range"], "bytes=0-9");
    }
    for url in [
        "https://evil.example/",
        "http://api.example/next",
        "https://files.example/?k=canary-secret",
        "https://files.example/?k=canary%2dsecret",
    ] {
        let failure = made.runtime.run(made.caller.call(to(url))).unwrap_err();
        assert_eq!(failure.error.code().id, "connect-host-not-allowed", "{url}");
        assert!(!format!("{:?}", failure.error).contains("canary"), "{url}");
    }
    let failure = made.runtime.run(
        made.caller.call(Draft { content: Content::Json("canary-secret".into()), ..to("https://files.example/") }),
    );
    assert_eq!(failure.unwrap_err().error.code().id, "connect-host-not-allowed");
    assert_eq!(made.sent().len(), 3);
}

#[test]
fn redirects_lead_where_calls_may_go_and_nowhere_else() {
    let moved = |to: &str| answer(302, &[("location", to)], "");
    let mut made = case(
        WIDE,
        &[("key", "canary-secret")],
        vec![moved("/v2/things"), moved("https://files.example/f"), answer(200, &[], "x")],
    );
    signed(&mut made);
    made.call(reading()).unwrap();
    let sent = made.sent();
    assert_eq!(sent[1].url.as_str(), "https://api.example/v2/things");
    assert!(sent[1].headers.contains_key("authorization") && !sent[2].headers.contains_key("authorization"));
    let failure = case(WIDE, &[], vec![moved("https://evil.example/")]).call(reading()).unwrap_err();
    assert_eq!(failure.error.code().id, "connect-host-not-allowed");
    // A write is not led elsewhere.
    let failure = case(WIDE, &[], vec![moved("/v2/things")]).call(writing(true)).unwrap_err();
    assert_eq!(failure.class, Class::Fail);
    // Round and round.
    let failure = case(WIDE, &[], (0..6).map(|_| moved("/v1/things")).collect()).call(reading()).unwrap_err();
    assert_eq!(failure.class, Class::Fail);
    let failure = case(WIDE, &[], vec![moved("http://[")]).call(reading());
    assert!(failure.is_err());
}

#[test]
fn what_people_read_holds_no_values_and_no_secrets() {
    let body = r#"{"error":{"code":"duplicate","message":"Ada Lovelace (sk_canary_1234) exists","param":"name"}}"#;
    let made = case(WIDE, &[("key", "sk_canary_1234")], vec![answer(422, &[("x-request-id", "req-9")], body)]);
    let failure = made.call(writing(false)).unwrap_err();
    assert_eq!(failure.class, Class::Reject);
    assert_eq!(failure.error.cause(), "POST api.example/v1/things answered 422: … (…) exists");
    assert_eq!(
        failure.error.facts(),
        [("code", "duplicate".to_owned()), ("field", "name".into()), ("request", "req-9".into())]
    );
    assert_eq!(failure.error.what(), Some("batch 1"));
}

#[test]
fn another_version_is_a_warning_and_each_request_can_be_watched() {
    let echo = "pack: t\ntransport: { base: 'https://api.example', echo: { header: X-Version, expect: '2026-01' } }\n";
    let mut made = case(echo, &[], vec![answer(503, &[], ""), answer(200, &[("x-version", "2025-07")], "")]);
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = Arc::clone(&seen);
    made.caller = made.caller.clone().on_call(Arc::new(move |call| {
        sink.lock().unwrap().push(format!("{} {:?} {}", call.place, call.status, call.tries));
    }));
    made.call(reading()).unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        ["GET api.example/v1/things Some(503) 1", "GET api.example/v1/things Some(200) 2"]
    );
    let warnings = made.caller.warnings();
    assert_eq!(warnings, ["the system answers with version 2025-07, and was asked for 2026-01 (`X-Version`)"]);
    assert!(made.caller.warnings().is_empty());
}

#[test]
fn a_system_that_is_ill_is_left_alone_for_a_while() {
    let breaker = "pack: t\ntransport: { base: 'https://api.example' }\nretry: { tries: 2, breaker: { failures: 3, pause: 60s } }\n";
    let down = || answer(500, &[], "");
    let made = case(breaker, &[], vec![down(), down(), down(), down(), answer(200, &[], "")]);
    let run = || made.runtime.run(made.caller.call(reading()));
    assert_eq!(run().unwrap_err().class, Class::Retry);
    assert!(made.passed() < 60 * S);
    // The third failure opens it: the repetition waits for the pause, and is the one that tries.
    assert!(run().is_err());
    assert!(made.passed() >= 60 * S);
    let before = made.passed();
    run().unwrap();
    assert!(made.passed() >= before + 60 * S - S, "it was opened again");
}

#[test]
fn an_empty_answer_has_no_body() {
    let empty = "pack: t\ntransport: { base: 'https://api.example' }\nfaults: [{ status: 404, then: empty }]\n";
    let made = case(empty, &[], vec![answer(404, &[], "nothing here")]).call(reading()).unwrap();
    assert_eq!((made.status, made.body.len()), (204, 0));
}
