//! What a call over all layers costs: `cargo bench --bench calls`. 40,000 small writes over 32 connections to
//! a server of this process, the same over the HTTP client alone, and over bare sockets: the limit.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops at the first error")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use consign::config::{Connector, Source, Spanned, yaml};
use consign::connect::http;
use consign::connect::pack::{Given, Pack};
use consign::connect::web::{Caller, Content, Draft, Purpose};
use consign::error::Place;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CALLS: usize = 40_000;
const CONNECTIONS: usize = 32;
const PACK: &str = "pack: bench\nlimits: { in_flight: 32 }\ntransport:\n";
const BODY: &str = r#"{"product_id":"PROD_SKU-0000001","title":"Compact Lamp 1234","category":"Garden","quantity":12,"cost":19.90,"currency":"EUR","updated":"2024-05-06T07:08:09Z"}"#;

fn main() {
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
    let connector = Connector {
        name: "bench".into(),
        place: place.clone(),
        uses: Spanned { value: "rest".into(), place },
        spec: None,
        state: None,
        with: Vec::new(),
        auth: Vec::new(),
        streams: Default::default(),
        tenant: None,
        region: None,
        standards: Vec::new(),
        agreements: Vec::new(),
        custody: Default::default(),
        clearance: None,
        retry_tries: 0,
        rate: None,
    };
    let source = Source::new("bench.yaml", format!("{PACK}  base: {base}\n"));
    let raw = yaml::parse(&source, &mut Vec::new()).unwrap();
    let pack = Box::leak(Box::new(Pack::read(&source, &raw, &mut Vec::new()).unwrap()));
    Arc::new(Given::new(pack, connector))
}
