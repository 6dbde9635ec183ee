//! What a call over all layers costs: `cargo bench --bench calls`. 40,000 small writes over 32 connections to
//! a server of this process, the same over the HTTP client alone, and over bare sockets: the limit.
//!
//! `W4=PORT:RECORDS:CONNECTIONS cargo bench --bench calls` is the limit of a whole sync instead: a hard-coded
//! program on the same HTTP client and one thread reads all pages of `/items` of a server on that port, maps
//! each record and sends it to `/item` by itself. A route that does the same should take no more than twice
//! its time; `docs/speed.md` has the route, the server and figures. `TLS=PORT:TO` stands before such a server
//! and speaks TLS on another port, with the certificate of `tests/fixtures/tls` for `localhost`.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops at the first error")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use consign::config::{Connector, Source, yaml};
use consign::connect::http;
use consign::connect::pack::{Given, Pack};
use consign::connect::web::{Caller, Content, Draft, Purpose};
use consign::error::Place;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CALLS: usize = 40_000;
const CONNECTIONS: usize = 32;
const PACK: &str = "pack: bench\nlimits: { in_flight: 32 }\ntransport:\n";
const BODY: &str = r#"{"product_id":"PROD_SKU-0000001","title":"Compact Lamp 1234","category":"Garden","quantity":12,"cost":19.90,"currency":"EUR","updated":"2024-05-06T07:08:09Z"}"#;

fn main() {
    if let Some(said) = std::env::var_os("W4") {
        return whole(&said.into_string().unwrap());
    }
    if let Some(said) = std::env::var_os("TLS") {
        return over_tls(&said.into_string().unwrap());
    }
    let (port, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || runtime().block_on(serve(&port)));
    let address = told.recv().unwrap();
    let url = format!("http://{address}/item");
    for round in 1..=3 {
        let bare = measure(|| {
            let address = address.clone();
            async move {
                let mut socket = TcpStream::connect(&address).await.unwrap();
                socket.set_nodelay(true).unwrap();
                let head = format!(
                    "POST /item HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    BODY.len()
                );
                let request = [head.as_bytes(), BODY.as_bytes()].concat();
                let mut room = [0; 4096];
                for _ in 0..CALLS / CONNECTIONS {
                    socket.write_all(&request).await.unwrap();
                    assert!(socket.read(&mut room).await.unwrap() > 0);
                }
            }
        });
        let client = http::builder(None).unwrap().build().unwrap();
        let direct = measure(|| {
            let (client, url) = (client.clone(), url.clone());
            async move {
                for _ in 0..CALLS / CONNECTIONS {
                    let request = client.post(&url).header("content-type", "application/json").body(BODY);
                    let answer = request.send().await.unwrap();
                    assert_eq!(answer.bytes().await.unwrap().len(), 14);
                }
            }
        });
        let caller = Caller::open(given(&format!("http://{address}"))).unwrap();
        let layered = measure(|| {
            let (caller, base) = (caller.clone(), format!("http://{address}"));
            async move {
                for _ in 0..CALLS / CONNECTIONS {
                    let purpose = Purpose { what: "one".into(), writes: true, ..Purpose::default() };
                    let content =
                        Content::Bytes { kind: "application/json".into(), bytes: Bytes::from_static(BODY.as_bytes()) };
                    let method = reqwest::Method::POST;
                    let draft = Draft {
                        method,
                        base: base.clone(),
                        path: "/item".into(),
                        content,
                        purpose,
                        ..Draft::default()
                    };
                    assert_eq!(caller.call(draft).await.unwrap().body.len(), 14);
                }
            }
        });
        println!(
            "round {round}: sockets {bare:.0}/s, client {direct:.0}/s, layers {layered:.0}/s ({:.2} of the client)",
            layered / direct
        );
    }
}

/// Reads, maps and writes as a route would, and nothing else.
fn whole(said: &str) {
    let numbers: Vec<usize> = said.split(':').map(|number| number.parse().unwrap()).collect();
    let [port, most, connections]: [usize; 3] = numbers.try_into().unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let began = Instant::now();
    let sent = runtime().block_on(async {
        let client = http::builder(None).unwrap().http1_only().tcp_nodelay(true).build().unwrap();
        let (out, records) = tokio::sync::mpsc::channel::<String>(connections * 2);
        let records = Arc::new(tokio::sync::Mutex::new(records));
        let writers: Vec<_> = (0..connections)
            .map(|_| {
                let (client, records, url) = (client.clone(), Arc::clone(&records), format!("{base}/item"));
                tokio::spawn(async move {
                    loop {
                        let Some(body) = records.lock().await.recv().await else { return };
                        let request = client.post(&url).header("content-type", "application/json").body(body);
                        let answer = request.send().await.unwrap();
                        assert!(answer.status().is_success());
                        answer.bytes().await.unwrap();
                    }
                })
            })
            .collect();
        let (mut page, mut count) = (1, 0);
        'pages: loop {
            let answer = client.get(format!("{base}/items?page={page}&per_page=1000")).send().await.unwrap();
            let body: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            for record in body["data"].as_array().unwrap() {
                if count == most {
                    break 'pages;
                }
                count += 1;
                if record["qty"].as_i64().unwrap() >= 0 {
                    out.send(mapped(record)).await.unwrap();
                }
            }
            if body["next_page"].is_null() {
                break;
            }
            page += 1;
        }
        drop(out);
        for writer in writers {
            writer.await.unwrap();
        }
        count
    });
    let took = began.elapsed().as_secs_f64();
    println!(
        "{sent} records in {took:.2} s: {:.0}/s, {:.1} us of processor time each",
        sent as f64 / took,
        cpu() / sent as f64
    );
}

/// Passes on what comes over TLS, request by request, until it is killed.
fn over_tls(said: &str) {
    use std::io::Write;
    let (listen, to) = said.split_once(':').map(|(listen, to)| (listen.to_owned(), to.to_owned())).unwrap();
    let pem = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name);
    let chain = vec![CertificateDer::from_pem_file(pem("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(pem("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = std::net::TcpListener::bind(format!("127.0.0.1:{listen}")).unwrap();
    for socket in listener.incoming().map_while(Result::ok) {
        let (config, to) = (Arc::clone(&config), to.clone());
        std::thread::spawn(move || -> std::io::Result<()> {
            socket.set_nodelay(true)?;
            let session = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
            let mut near = std::io::BufReader::new(rustls::StreamOwned::new(session, socket));
            let far = std::net::TcpStream::connect(format!("127.0.0.1:{to}"))?;
            far.set_nodelay(true)?;
            let mut far = std::io::BufReader::new(far);
            loop {
                let request = message(&mut near)?;
                far.get_mut().write_all(&request)?;
                let answer = message(&mut far)?;
                near.get_mut().write_all(&answer)?;
            }
        });
    }
}

/// A request or an answer whose head says how long it is.
fn message(from: &mut impl std::io::BufRead) -> std::io::Result<Vec<u8>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let start = bytes.len();
        if from.read_until(b'\n', &mut bytes)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let head = bytes.len();
    bytes.resize(head + length, 0);
    from.read_exact(&mut bytes[head..])?;
    Ok(bytes)
}

/// About what the mapping of that route makes.
fn mapped(record: &serde_json::Value) -> String {
    use sha2::Digest as _;
    let text = |name: &str| record[name].as_str().unwrap();
    let category = Some(text("category")).filter(|text| !text.is_empty()).unwrap_or("General");
    let hash = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(text("sku").as_bytes()));
    let cost = text("price").replace('.', "").parse::<u64>().unwrap() * 12 / 10;
    serde_json::json!({
        "product_id": format!("PROD_{}", text("sku")), "name": text("name"), "product_type": category,
        "qty": record["qty"], "cost": format!("{}.{:02}", cost / 100, cost % 100), "currency": text("currency"),
        "updated": &text("updated_at")[..10], "email": format!("{}***", &text("email")[..1]),
        "warehouse": text("warehouse"), "row_hash": hash,
    })
    .to_string()
}

/// Microseconds of processor time of this process.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // In hundredths of a second, as Linux counts for users.
    (after[11].parse::<f64>().unwrap() + after[12].parse::<f64>().unwrap()) * 10_000.0
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Calls a second.
fn measure<F: Future<Output = ()> + Send + 'static>(worker: impl Fn() -> F) -> f64 {
    let runtime = runtime();
    runtime.block_on(async {
        let began = Instant::now();
        let workers: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(worker())).collect();
        for one in workers {
            one.await.unwrap();
        }
        CALLS as f64 / began.elapsed().max(Duration::from_millis(1)).as_secs_f64()
    })
}

async fn serve(port: &std::sync::mpsc::Sender<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    port.send(listener.local_addr().unwrap().to_string()).unwrap();
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let (mut held, mut room) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = socket.read(&mut room).await {
                held.extend_from_slice(&room[..read]);
                // Every request has the same body.
                while let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
                    if held.len() < end + 4 + BODY.len() {
                        break;
                    }
                    held.drain(..end + 4 + BODY.len());
                    let answer = b"HTTP/1.1 201 Created\r\ncontent-length: 14\r\ncontent-type: application/json\r\n\r\n{\"accepted\":1}";
                    if socket.write_all(answer).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

fn given(base: &str) -> Arc<Given> {
    let place = Place { file: String::new(), line: 1, column: 1, width: 1, source: String::new() };
    let connector = Connector::new("bench", "rest", place);
    let source = Source::new("bench.yaml", format!("{PACK}  base: {base}\n"));
    let raw = yaml::parse(&source, &mut Vec::new()).unwrap();
    let pack = Box::leak(Box::new(Pack::read(&source, &raw, &mut Vec::new()).unwrap()));
    Arc::new(Given::new(pack, connector))
}
