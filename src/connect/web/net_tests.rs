//! The network itself, against servers that answer slowly, in halves, or with more than is allowed.

use std::io::Write as _;

use super::*;
use crate::connect::runtime::Runtime;
use crate::connect::web::far_side::{FarSide, Reply, answer};
use reqwest::Method;

fn settings() -> Settings {
    let timeouts = Timeouts { answer: Duration::from_secs(20), ..Timeouts::default() };
    Settings { timeouts, caps: Caps { body: 1 << 20, ..Caps::default() }, ..Settings::default() }
}

fn request(url: &str) -> Request {
    Request {
        method: Method::GET,
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: None,
    }
}

fn sent(settings: Settings, url: &str) -> Result<Answer, Unanswered> {
    let runtime = Runtime::start("test").unwrap();
    let net = Net::new(settings).unwrap();
    runtime.run(net.send(request(url)))
}

fn packed(how: &str, body: &[u8]) -> Vec<u8> {
    match how {
        "gzip" => {
            let mut made = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            made.write_all(body).unwrap();
            made.finish().unwrap()
        }
        "deflate" => {
            let mut made = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
            made.write_all(body).unwrap();
            made.finish().unwrap()
        }
        "raw" => {
            let mut made = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            made.write_all(body).unwrap();
            made.finish().unwrap()
        }
        _ => zstd::encode_all(body, 3).unwrap(),
    }
}

const HOWS: [&str; 4] = ["gzip", "deflate", "raw", "zstd"];

fn named(how: &str) -> &str {
    if how == "raw" { "deflate" } else { how }
}

#[test]
fn answers_are_decompressed_however_they_come() {
    let text: Vec<u8> = (0..20_000).flat_map(|n: u32| format!("line {}\n", n * 7919 % 10_007).into_bytes()).collect();
    for how in HOWS {
        let body = packed(how, &text);
        let whole = body.clone();
        let far = FarSide::start(move |_, asked| {
            assert_eq!(asked.header("accept-encoding"), Some("gzip, deflate, zstd"));
            answer(200, &[("content-encoding", named(how))], &whole)
        });
        let made = sent(settings(), &far.url()).unwrap();
        assert!(made.body == text, "{how}");
        assert_eq!(made.header("content-encoding"), None);
        // Cut short: an error, never a part of it.
        let cut = body[..body.len() - 5].to_vec();
        let far = FarSide::start(move |_, _| answer(200, &[("content-encoding", named(how))], &cut));
        let error = sent(settings(), &far.url()).unwrap_err();
        assert!(error.sent && error.temporary, "{how}: {error:?}");
        // Not at all what it says.
        let far =
            FarSide::start(move |_, _| answer(200, &[("content-encoding", named(how))], b"<html>not packed</html>"));
        assert!(sent(settings(), &far.url()).is_err(), "{how}");
    }
    let far = FarSide::start(|_, _| answer(200, &[("content-encoding", "br")], b"x"));
    assert!(sent(settings(), &far.url()).unwrap_err().cause.contains("not asked for"));
    // A head that announces a compressed body that is empty.
    let far = FarSide::start(|_, _| answer(304, &[("content-encoding", "gzip")], b""));
    assert_eq!(sent(settings(), &far.url()).unwrap().status, 304);
}

#[test]
fn bombs_do_not_go_off() {
    let zeros = vec![b'0'; 300 << 20 >> 3];
    for how in HOWS {
        let body = packed(how, &zeros);
        let small = body.clone();
        let far = FarSide::start(move |_, _| answer(200, &[("content-encoding", named(how))], &small));
        let error = sent(settings(), &far.url()).unwrap_err();
        assert!(error.cause.contains("larger than 1 MiB") && !error.temporary, "{how}: {error:?}");
        let far = FarSide::start(move |_, _| answer(200, &[("content-encoding", named(how))], &body));
        let caps = Caps { body: 1 << 30, stream: 1 << 30, inflation: 100 };
        let error = sent(Settings { caps, ..settings() }, &far.url()).unwrap_err();
        assert!(error.cause.contains("more than 100 times"), "{how}: {error:?}");
    }
}

#[test]
fn bodies_beyond_the_cap_are_refused_announced_or_not() {
    let far = FarSide::start(|_, asked| match asked.line.contains("/announced") {
        true => answer(200, &[], &vec![b'x'; 2 << 20]),
        false => Reply::Last([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 2 << 20]].concat()),
    });
    for path in ["announced", "open"] {
        let error = sent(settings(), &format!("{}/{path}", far.url())).unwrap_err();
        assert!(error.cause.contains("larger than 1 MiB") && error.sent, "{path}: {error:?}");
    }
}

#[test]
fn what_went_wrong_says_whether_the_request_was_sent() {
    let check = |what: &str, reply: fn() -> Reply, temporary: bool| {
        let far = FarSide::start(move |_, _| reply());
        let quick = Timeouts { answer: Duration::from_millis(300), ..Timeouts::default() };
        let error = sent(Settings { timeouts: quick, ..settings() }, &far.url()).unwrap_err();
        assert_eq!((error.sent, error.temporary), (true, temporary), "{what}: {error:?}");
        assert!(!error.cause.contains("127.0.0.1"), "{what}: {}", error.cause);
    };
    check("closed at once", || Reply::Last(Vec::new()), true);
    check("half a head", || Reply::Last(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()), true);
    check("half a body", || Reply::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc".to_vec()), true);
    check("garbage", || Reply::Last(b"\x16\x03\x01 what is this\r\n\r\n".to_vec()), true);
    check(
        "half a chunk",
        || Reply::Last(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab".to_vec()),
        true,
    );
    check(
        "no chunk at all",
        || Reply::Last(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()),
        true,
    );
    check(
        "two lengths",
        || Reply::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec()),
        true,
    );
    check("never", || Reply::Slow(vec![Vec::new()], Duration::from_secs(5)), true);
    check(
        "stalls within",
        || Reply::Slow(vec![b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc".to_vec()], Duration::from_secs(5)),
        true,
    );
    check(
        "endless head",
        || Reply::Last([b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".repeat(300_000)].concat()),
        true,
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = sent(settings(), &format!("http://{free}/")).unwrap_err();
    assert!(!error.sent && error.temporary, "{error:?}");
}

#[test]
fn redirects_are_answers_here() {
    let far = FarSide::start(|_, _| answer(302, &[("location", "http://169.254.169.254/")], b""));
    assert_eq!(sent(settings(), &far.url()).unwrap().status, 302);
    assert_eq!(far.asked().len(), 1);
}

#[test]
fn an_answer_can_be_read_piece_by_piece() {
    let body: Vec<u8> = b"0123456789".repeat(100_000);
    let packed = packed("gzip", &body);
    let far = FarSide::start(move |_, _| answer(200, &[("content-encoding", "gzip")], &packed));
    let runtime = Runtime::start("test").unwrap();
    let caps = Caps { inflation: 10_000, ..Caps::default() };
    let net = Net::new(Settings { caps, ..settings() }).unwrap();
    let read = runtime.run(async {
        let mut flow = net.open(request(&far.url())).await.unwrap();
        let mut read = Vec::new();
        while let Some(piece) = flow.next().await.unwrap() {
            read.extend_from_slice(&piece);
        }
        read
    });
    assert!(read == body);
}
