//! A queue over HTTP: what was received is hidden for a while and comes again unless it is deleted. It
//! lies, too: it hides messages and drops the answer, deletes and drops the answer, refuses to delete one.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[derive(Default)]
struct Held {
    /// Messages by their ids: the sku, until when it is hidden, the newest receipt.
    waiting: BTreeMap<u64, (String, Option<Instant>, u64)>,
    deleted: Vec<String>,
    receipts: HashMap<u64, u64>,
    requests: u64,
    lies: bool,
    /// How long what was received is hidden.
    hidden: Duration,
}

/// The server; it ends with the process.
pub struct Queue {
    /// Its address, without a path.
    pub address: String,
    held: Arc<Mutex<Held>>,
}

impl Queue {
    /// A queue with a message for each of these; what was received is hidden for so long.
    pub fn start(skus: impl Iterator<Item = String>, hidden: Duration, lies: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let waiting = (1..).zip(skus).map(|(id, sku)| (id, (sku, None, 0))).collect();
        let held = Arc::new(Mutex::new(Held { waiting, lies, hidden, ..Held::default() }));
        let shared = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let held = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &held));
            }
        });
        Self { address, held }
    }

    /// Messages that are not deleted.
    pub fn left(&self) -> usize {
        self.held.lock().expect("no panic").waiting.len()
    }

    /// What was deleted.
    pub fn deleted(&self) -> Vec<String> {
        self.held.lock().expect("no panic").deleted.clone()
    }
}

fn serve(stream: TcpStream, held: &Mutex<Held>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let path = line.split_whitespace().nth(1)?.to_owned();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (answer, drops) = held.lock().expect("no panic").answer(&path, &body);
        if drops {
            return None;
        }
        let text = answer.to_string();
        let head =
            format!("HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", text.len());
        stream.write_all(format!("{head}{text}").as_bytes()).ok()?;
    }
}

impl Held {
    fn answer(&mut self, path: &str, body: &[u8]) -> (Value, bool) {
        self.requests += 1;
        let drops = self.lies && self.requests.is_multiple_of(7);
        let (now, hidden_for) = (Instant::now(), self.hidden);
        if path == "/receive" {
            let mut messages = Vec::new();
            let seen = |until: &Option<Instant>| until.is_none_or(|until| until <= now);
            for (id, (sku, hidden, receipt)) in self.waiting.iter_mut().filter(|(_, (_, h, _))| seen(h)).take(10) {
                *hidden = Some(now + hidden_for);
                *receipt += 1;
                let number = *id * 1_000 + *receipt;
                self.receipts.insert(number, *id);
                messages.push(
                    json!({ "id": id.to_string(), "receipt": number, "sku": sku, "note": format!("note of {sku}") }),
                );
            }
            return (json!({ "messages": messages }), drops);
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut failed = Vec::new();
        for (at, receipt) in body["receipts"].as_array().into_iter().flatten().enumerate() {
            // An older receipt is as good as the newest one; one of a deleted message is no error.
            let id = receipt.as_u64().and_then(|receipt| self.receipts.get(&receipt)).copied();
            if self.lies && at == 3 && self.requests.is_multiple_of(5) {
                failed.push(receipt.clone());
            } else if let Some((sku, ..)) = id.and_then(|id| self.waiting.remove(&id)) {
                self.deleted.push(sku);
            }
        }
        (json!({ "failed": failed }), drops)
    }
}
