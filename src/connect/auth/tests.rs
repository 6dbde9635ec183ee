//! Every kind answers the same questions: what it sends and where, what happens when it ends, and that
//! nothing secret is ever shown. And tokens: one process obtains, all use, none is lost.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::*;
use crate::config::{Connector, Node, Source, Spanned, Text};
use crate::connect::pack::Pack;
use crate::connect::web::{Answer, Unanswered};
use crate::error::Place;

type Reply = Box<dyn Fn(&Request, u64) -> (u16, Vec<(&'static str, String)>, String) + Send + Sync>;

/// A wire that answers by a function and remembers what it was asked.
struct Told {
    reply: Reply,
    count: AtomicU64,
    asked: Mutex<Vec<(String, String)>>,
}

impl Wire for Told {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + '_>> {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.asked.lock().unwrap().push((request.shown(), body));
        let (status, headers, body) = (self.reply)(&request, count);
        let mut all = reqwest::header::HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value.parse().unwrap());
        }
        Box::pin(async move {
            // So that others get their turn while this one waits.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            Ok(Answer { status, headers: all, body: body.into(), took: std::time::Duration::ZERO })
        })
    }
}

fn wire(
    reply: impl Fn(&Request, u64) -> (u16, Vec<(&'static str, String)>, String) + Send + Sync + 'static,
) -> Arc<Told> {
    Arc::new(Told { reply: Box::new(reply), count: AtomicU64::new(0), asked: Mutex::new(Vec::new()) })
}

fn here<T>(value: T) -> Spanned<T> {
    Spanned {
        value,
        place: Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() },
    }
}

/// A connector of a pack with this under `auth`.
pub(super) fn given(auth: &str, secrets: &[(&str, &str)], state: Option<&std::path::Path>) -> Arc<Given> {
    let mut text = String::from(
        "pack: probe_pack\nparams: { base: { default: 'https://api.example' } }\ntransport: { base: '{{ params.base }}' }\nauth:\n",
    );
    for line in auth.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    let source = Source::new("pack.yaml", text);
    let mut findings = Vec::new();
    let raw = crate::config::yaml::parse(&source, &mut findings).unwrap();
    let pack = Pack::read(&source, &raw, &mut findings);
    assert!(findings.is_empty(), "{findings:#?}");
    let auth = secrets.iter().map(|(name, value)| (here((*name).to_owned()), here(Node::Text(Text::literal(*value)))));
    let connector = Connector {
        state: state.map(Into::into),
        auth: auth.collect(),
        retry_tries: 5,
        ..Connector::new("shop", "probe_pack", here(()).place)
    };
    Arc::new(Given::new(Box::leak(Box::new(pack.unwrap())), connector))
}

/// A clock that stands still until it is set: 2026-11-21T12:00:00Z.
fn clock() -> (Clock, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(1_795_262_400));
    let shared = Arc::clone(&time);
    (Arc::new(move || Timestamp { seconds: shared.load(Ordering::SeqCst), nanos: 0, offset: 0 }), time)
}

pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn draft() -> Draft {
    Draft { base: "https://api.example".into(), path: "/orders".into(), ..Draft::default() }
}

/// What a call carries.
async fn sent(sign_in: &SignIn) -> Result<Request> {
    let mut draft = draft();
    sign_in.prepare(&mut draft).await?;
    let mut request = draft.finish()?;
    sign_in.sign(&mut request)?;
    Ok(request)
}

fn token_server(number: u64) -> (u16, Vec<(&'static str, String)>, String) {
    let body = format!("{{\"access_token\":\"tok{number}\",\"token_type\":\"Bearer\",\"expires_in\":3600}}");
    (200, Vec::new(), body)
}

const CODE: &str = "kind: oauth2\n    grant: client_credentials\n    token_url: https://id.example/token\n    client_id: '{{ secrets.user }}'\n    client_secret: '{{ secrets.one }}'";

/// Each kind with an example, and what its call carries: a part of a header or of the address.
fn kinds() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("none", "kind: none", ""),
        (
            "key",
            "kind: key\n    send: [{ header: X-Key, value: '{{ secrets.one }}' }, { query: app, value: 'a b' }]",
            "x-key: very-secret",
        ),
        (
            "basic",
            "kind: basic\n    user: '{{ secrets.user }}'\n    password: '{{ secrets.one }}'",
            "authorization: Basic bWU6dmVyeS1zZWNyZXQ=",
        ),
        (
            "bearer",
            "kind: bearer\n    token: '{{ secrets.one }}'\n    send: { query: access_token, value: '{{ auth.token }}' }",
            "access_token=very-secret",
        ),
        ("oauth2", CODE, "authorization: Bearer tok"),
        (
            "jwt",
            "kind: jwt\n    assertion: { algorithm: ES256, key: '{{ secrets.pem }}', claims: { iss: '{{ secrets.user }}' } }",
            "authorization: Bearer ey",
        ),
        (
            "session",
            "kind: session\n    steps: [{ method: POST, path: /login, body: { user: '{{ secrets.user }}', password: '{{ secrets.one }}' }, cookies: true, capture: { token: '{{ answer.body.access_token }}' } }]\n    send: { header: X-Session, value: '{{ auth.token }}' }\n    lifetime: 1h",
            "x-session: tok",
        ),
        (
            "sigv4",
            "kind: sigv4\n    key_id: AKID\n    key: '{{ secrets.one }}'\n    service: sqs\n    region: eu-west-1",
            "authorization: AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=",
        ),
        (
            "hmac",
            "kind: hmac\n    key: '{{ secrets.one }}'\n    canonical: '{{ fresh.unix }}.{{ request.method }}.{{ request.path }}'\n    send: [{ header: X-Time, value: '{{ fresh.unix }}' }, { header: X-Signature, value: 'v1={{ auth.signature }}' }]",
            "x-signature: v1=",
        ),
        (
            "oauth1",
            "kind: oauth1\n    key_id: '{{ secrets.user }}'\n    consumer_secret: '{{ secrets.one }}'\n    realm: R",
            "authorization: OAuth realm=\"R\", oauth_consumer_key=\"me\"",
        ),
    ]
}

fn secrets() -> Vec<(&'static str, &'static str)> {
    let pem: &'static str = jwk::PrivateKey::generate("ES256").unwrap().to_string().leak();
    vec![("one", "very-secret"), ("user", "me"), ("pem", pem)]
}

const NEEDS: &str = "needs: { one: {}, user: { secret: false }, pem: {} }\n";

fn text_of(request: &Request) -> String {
    let headers = request.headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
    format!("{}\n{}", request.url, headers.collect::<String>())
}

#[test]
fn every_kind_sends_where_the_pack_says_and_shows_nothing() {
    let listed: Vec<&str> = KINDS.iter().map(|kind| kind.word()).collect();
    let words: Vec<&str> = crate::connect::pack::auth::keys::KINDS.iter().map(|word| word.name).collect();
    assert_eq!(listed, words, "the written-out list has one line for each kind of the vocabulary");
    assert_eq!(kinds().iter().map(|(word, ..)| *word).collect::<Vec<_>>(), words, "one example for each kind");
    for (word, way, expected) in kinds() {
        let told = wire(|_, number| token_server(number));
        let given = given(&format!("{NEEDS}ways:\n  usual:\n    {way}"), &secrets(), None);
        let (clock, _) = clock();
        let sign_in = SignIn::open(given, told, clock).unwrap().unwrap();
        let request = run(sent(&sign_in)).unwrap();
        let text = text_of(&request);
        assert!(text.contains(expected), "{word}: {text}");
        for shown in [format!("{sign_in:?}"), format!("{:?}", sign_in.current()), format!("{request:?}")] {
            assert!(!shown.contains("very-secret") && !shown.contains("tok0"), "{word}: {shown}");
        }
    }
}

#[test]
fn every_kind_is_obtained_anew_when_it_ends_or_is_refused() {
    for (word, way, _) in kinds() {
        let told = wire(|_, number| token_server(number));
        let given = given(&format!("{NEEDS}ways:\n  usual:\n    {way}"), &secrets(), None);
        let (clock, time) = clock();
        let sign_in = SignIn::open(given, told.clone(), clock).unwrap().unwrap();
        let obtains = sign_in.desk.way.obtains();
        run(async {
            let first = sign_in.prepare(&mut draft()).await.unwrap();
            let again = sign_in.prepare(&mut draft()).await.unwrap();
            assert_eq!(first, again, "{word}: what is valid is used again");
            // Refused: something new, if there can be something new; once for all who were refused.
            assert_eq!(sign_in.renew(first).await.unwrap(), obtains, "{word}");
            let second = sign_in.prepare(&mut draft()).await.unwrap();
            assert_eq!(second != first, obtains, "{word}");
            assert_eq!(sign_in.renew(first).await.unwrap(), obtains, "{word}: a late refusal of the old one");
            assert_eq!(sign_in.prepare(&mut draft()).await.unwrap(), second, "{word}");
            // Before it ends.
            time.fetch_add(3600 - 30, Ordering::SeqCst);
            let third = sign_in.prepare(&mut draft()).await.unwrap();
            assert_eq!(third != second, obtains, "{word}");
        });
        let asks = matches!(word, "oauth2" | "session");
        assert_eq!(told.count.load(Ordering::SeqCst), if asks { 3 } else { 0 }, "{word}");
    }
}

#[test]
fn a_refusal_says_what_to_do_and_nothing_secret() {
    let check = |status: u16, body: &'static str, kind: Kind, expected: &str, hidden: &str| {
        let told = wire(move |_, _| (status, vec![("retry-after", "0".into())], body.into()));
        let given = given(&format!("{NEEDS}ways:\n  usual:\n    {CODE}"), &secrets(), None);
        let sign_in = SignIn::open(given, told, clock().0).unwrap().unwrap();
        let error = run(sign_in.prepare(&mut draft())).unwrap_err();
        let all = format!("{error:?} {:?}", error.hints());
        assert_eq!(error.kind(), kind, "{all}");
        assert!(all.contains(expected), "{all}");
        assert!(hidden.is_empty() || !all.contains(hidden), "{all}");
        assert!(!all.contains("very-secret"), "{all}");
    };
    let bad = r#"{"error":"invalid_client","error_description":"Client authentication failed."}"#;
    check(401, bad, Kind::Denied, "invalid_client", "");
    check(400, r#"{"error":"bad","error_description":"very-secret is wrong"}"#, Kind::Denied, "`bad`", "is wrong");
    check(503, "busy", Kind::Environment, "503", "busy");
    check(429, "{}", Kind::Environment, "429", "");
    check(200, r#"{"error":"invalid_grant"}"#, Kind::Denied, "invalid_grant", "");
    check(200, "<html>", Kind::Denied, "no token in it", "html");
}

#[test]
fn what_is_missing_is_said_before_anything_is_asked() {
    let text = format!("{NEEDS}ways:\n  a: {{ kind: none, needs: [one, pem] }}\n  b: {{ kind: none }}");
    let open =
        |secrets: &[(&str, &str)]| SignIn::open(given(&text, secrets, None), wire(|_, n| token_server(n)), clock().0);
    let error = open(&[("one", "x")]).unwrap_err();
    assert!(error.cause().contains("`pem`") && error.hints()[0].contains("a, b"), "{error:?} {:?}", error.hints());
    assert!(open(&[("way", "b")]).unwrap().is_some());
    assert_eq!(open(&[("way", "c")]).unwrap_err().code().id, "connect-pack-invalid");
}

const ROTATING: &str = "kind: oauth2\n    grant: refresh_token\n    token_url: https://id.example/token\n    client_id: me\n    client_auth: none\n    refresh_token: '{{ secrets.one }}'\n    capture: { host: '{{ answer.body.instance_url }}' }";

/// Gives a new refresh token with each answer; only the latest one is good.
fn rotating() -> Arc<Told> {
    let latest = Mutex::new("seed".to_owned());
    wire(move |request, number| {
        let mut latest = latest.lock().unwrap();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if !body.contains(&format!("refresh_token={latest}&")) && !body.ends_with(&format!("refresh_token={latest}")) {
            return (400, Vec::new(), r#"{"error":"invalid_grant"}"#.into());
        }
        *latest = format!("ref{number}");
        // The host is told at first only.
        let host = if number == 0 { ",\"instance_url\":\"https://eu7.example\"" } else { "" };
        (
            200,
            Vec::new(),
            format!("{{\"access_token\":\"tok{number}\",\"refresh_token\":\"ref{number}\",\"expires_in\":600{host}}}"),
        )
    })
}

#[test]
fn a_refresh_token_that_rotates_is_never_used_twice() {
    let temp = tempfile::tempdir().unwrap();
    let told = rotating();
    let (clock, time) = clock();
    let open = || {
        let given = given(&format!("{NEEDS}ways:\n  usual:\n    {ROTATING}"), &[("one", "seed")], Some(temp.path()));
        SignIn::open(given, told.clone(), Arc::clone(&clock)).unwrap().unwrap()
    };
    let all: Vec<SignIn> = (0..8).map(|_| open()).collect();
    run(async {
        for turn in 1..=3 {
            let each = all.iter().map(|sign_in| async move { sign_in.ready().await.unwrap() });
            for live in futures_util::future::join_all(each).await {
                assert_eq!(live.number, turn);
                assert_eq!(live.auth["token"], format!("tok{}", turn - 1));
                assert_eq!(live.auth["host"], "https://eu7.example", "what the answer does not repeat stays");
            }
            assert_eq!(told.count.load(Ordering::SeqCst), turn, "eight of them, and one asks");
            time.fetch_add(590, Ordering::SeqCst);
        }
        // Another process, later.
        assert_eq!(open().ready().await.unwrap().number, 4);
        assert!(open().end().await.unwrap(), "there was something to forget");
        assert!(!open().end().await.unwrap());
        // The seed was used long ago: the server knows it no more, and that is said.
        assert_eq!(open().ready().await.unwrap_err().kind(), Kind::Denied);
    });
    assert!(known(temp.path(), "shop").unwrap().is_none());
}

#[test]
fn cookies_and_csrf_tokens_go_together() {
    let way = "kind: basic\n    user: '{{ secrets.user }}'\n    password: '{{ secrets.one }}'\n    steps: [{ name: csrf, path: /csrf, signed: true, headers: { X-CSRF-Token: Fetch }, cookies: true, capture: { csrf: '{{ answer.headers[\"x-csrf-token\"] }}' } }]\n    send: [{ header: Authorization, value: 'Basic {{ auth.credentials }}' }, { header: X-CSRF-Token, value: '{{ auth.csrf }}', when: 'request.method != \"GET\"' }]";
    let told = wire(|request, number| {
        assert_eq!(request.headers["authorization"], "Basic bWU6dmVyeS1zZWNyZXQ=");
        let headers = vec![
            ("x-csrf-token", format!("csrf{number}")),
            ("set-cookie", "SAP_SESSION=s1; path=/; HttpOnly".into()),
            ("set-cookie", "other=2".into()),
        ];
        (200, headers, "{}".into())
    });
    let sign_in = SignIn::open(given(&format!("{NEEDS}ways:\n  usual:\n    {way}"), &secrets(), None), told, clock().0)
        .unwrap()
        .unwrap();
    run(async {
        let read = text_of(&sent(&sign_in).await.unwrap());
        assert!(read.contains("cookie: SAP_SESSION=s1; other=2") && !read.contains("x-csrf-token"), "{read}");
        let mut draft = Draft { method: reqwest::Method::POST, ..draft() };
        let number = sign_in.prepare(&mut draft).await.unwrap();
        assert!(text_of(&draft.finish().unwrap()).contains("x-csrf-token: csrf0"));
        assert!(sign_in.renew(number).await.unwrap());
        let mut draft = Draft { method: reqwest::Method::POST, ..super::tests::draft() };
        sign_in.prepare(&mut draft).await.unwrap();
        assert!(text_of(&draft.finish().unwrap()).contains("x-csrf-token: csrf1"));
    });
}

/// The whole of a sign-in with a browser; the browser is this test.
#[test]
fn a_browser_comes_back_once_and_only_with_its_own_state() {
    let way = "kind: oauth2\n    grant: authorization_code\n    token_url: https://id.example/token\n    authorize_url: https://id.example/authorize\n    client_id: me\n    client_auth: none\n    scope: a b\n    authorize: { prompt: consent }\n    capture: { realm: '{{ answer.redirect.realmId }}' }";
    let temp = tempfile::tempdir().unwrap();
    let told = wire(|request, number| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert!(body.contains("code=c1") && body.contains("code_verifier=") && body.contains("client_id=me"), "{body}");
        token_server(number)
    });
    let open = || {
        let given = given(&format!("ways:\n  usual:\n    {way}"), &[], Some(temp.path()));
        SignIn::open(given, told.clone(), clock().0).unwrap().unwrap()
    };
    let sign_in = open();
    run(async {
        let error = sign_in.ready().await.unwrap_err();
        assert_eq!((error.kind(), error.code().id), (Kind::Denied, "connect-sign-in-needed"));
        let browser = sign_in.browse().await.unwrap();
        let url = url::Url::parse(&browser.url).unwrap();
        let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!((asked["prompt"].as_str(), asked["scope"].as_str()), ("consent", "a b"));
        assert_eq!(asked["code_challenge_method"], "S256");
        let (to, state) = (asked["redirect_uri"].clone(), asked["state"].clone());
        for wrong in
            [format!("{to}?code=c1&state=other"), format!("{to}?state={state}&error=access_denied"), "nonsense".into()]
        {
            assert_eq!(sign_in.returned(&browser, &wrong).await.unwrap_err().kind(), Kind::Denied, "{wrong}");
        }
        assert!(to.starts_with("http://127.0.0.1:"), "{to}");
        let came = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let address = url::Url::parse(&to).unwrap();
            for path in ["/favicon.ico".to_owned(), format!("/callback?code=c1&state={state}&realmId=77")] {
                let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", address.port().unwrap())).await.unwrap();
                stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).await.unwrap();
                assert_eq!(text.starts_with("HTTP/1.1 200"), path.starts_with("/callback"), "{text}");
            }
        });
        sign_in.arrived(&browser, std::time::Duration::from_secs(60)).await.unwrap();
        came.await.unwrap();
        let live = open().ready().await.unwrap();
        assert_eq!((&live.auth["token"], &live.auth["realm"]), (&Json::from("tok0"), &Json::from("77")));
    });
    assert_eq!(known(temp.path(), "shop").unwrap().unwrap().1, Some(1_795_262_400 + 3600));
}

/// What is asked for goes to the server itself; the browser has a reference, and nothing that it could change.
#[test]
fn what_is_asked_for_is_handed_over_before() {
    let way = "kind: oauth2\n    grant: authorization_code\n    token_url: https://id.example/token\n    authorize_url: https://id.example/authorize?lang=en\n    push_url: https://id.example/par\n    client_id: me\n    client_auth: none\n    scope: a b";
    let told = wire(|request, number| match number {
        0 => {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            for part in ["scope=a+b", "code_challenge=", "state=", "response_type=code", "redirect_uri="] {
                assert!(body.contains(part), "{part}: {body}");
            }
            assert_eq!((request.url.path(), body.matches("client_id").count()), ("/par", 1), "{body}");
            (201, Vec::new(), r#"{"request_uri":"urn:ietf:params:oauth:request_uri:r1","expires_in":60}"#.into())
        }
        _ => (400, Vec::new(), r#"{"error":"invalid_request"}"#.into()),
    });
    let given = given(&format!("ways:\n  usual:\n    {way}"), &[], None);
    let sign_in = SignIn::open(given, told, clock().0).unwrap().unwrap();
    run(async {
        let browser = sign_in.browse().await.unwrap();
        let url = url::Url::parse(&browser.url).unwrap();
        let asked: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let wanted = [("lang", "en"), ("client_id", "me"), ("request_uri", "urn:ietf:params:oauth:request_uri:r1")];
        assert_eq!(asked, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(sign_in.browse().await.is_err());
    });
}

#[test]
fn a_device_waits_until_somebody_signed_in_elsewhere() {
    let way = "kind: oauth2\n    grant: device_code\n    token_url: https://id.example/token\n    device_url: https://id.example/device\n    client_id: me\n    client_auth: none";
    let temp = tempfile::tempdir().unwrap();
    let told = wire(|request, number| match (request.url.path(), number) {
        ("/device", _) => (
            200,
            Vec::new(),
            r#"{"device_code":"d1","user_code":"AB-CD","verification_uri":"https://id.example/activate","interval":1}"#
                .into(),
        ),
        (_, 1) => (400, Vec::new(), r#"{"error":"authorization_pending"}"#.into()),
        _ => token_server(number),
    });
    let given = given(&format!("ways:\n  usual:\n    {way}"), &[], Some(temp.path()));
    let sign_in = SignIn::open(given, told.clone(), clock().0).unwrap().unwrap();
    run(async {
        let device = sign_in.device().await.unwrap();
        assert_eq!((device.code.as_str(), device.url.as_str()), ("AB-CD", "https://id.example/activate"));
        sign_in.granted(&device).await.unwrap();
        assert_eq!(sign_in.ready().await.unwrap().auth["token"], "tok2");
    });
    let asked = told.asked.lock().unwrap();
    assert_eq!(asked[0].1.matches("client_id").count(), 1, "{asked:?}");
}
