//! An HTTP API that keeps what it is sent and lies about it on a schedule: it applies a request and drops
//! the reply, breaks down after it has applied, asks to wait, stalls, is slow, hangs up within an answer.
//! Written for tests of delivery; it forgets nothing, so that what became of each record can be counted.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What it does with a request beside answering it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lie {
    /// It is applied, and the connection is dropped.
    ApplyThenDrop,
    /// It is applied, and the answer is 500.
    ApplyThenBreak,
    /// It is not applied, and the answer is 500.
    Break,
    /// It is not applied: 429.
    Wait,
    /// It is applied, and no answer comes in time.
    Stall,
    /// It is applied, and the answer takes a while.
    Slow,
    /// It is applied, and the answer ends in its middle.
    CloseEarly,
}

#[derive(Default)]
struct Seen {
    /// How often each record was added or replaced, with its newest note.
    rows: BTreeMap<String, (u64, String)>,
    /// Records by their key: what an upsert leaves.
    keyed: BTreeMap<String, String>,
    /// Answers by the keys of their requests, with what was asked.
    known: HashMap<String, (Vec<u8>, Value)>,
    /// Requests with a known key and another body.
    mixed: u64,
    /// Whether records are put by their key.
    by_key: bool,
    /// Requests that write.
    writes: u64,
    /// What is done with every so manieth request that writes.
    lies: Vec<(u64, Lie)>,
    most_at_once: usize,
    at_once: usize,
}

/// The server; it ends with the process.
pub struct Liar {
    /// Its address, without a path.
    pub address: String,
    seen: Arc<Mutex<Seen>>,
}

impl Liar {
    /// A server that lies so: `(7, lie)`: each seventh request that writes.
    pub fn start(lies: &[(u64, Lie)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Seen { lies: lies.to_vec(), ..Seen::default() }));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &seen));
            }
        });
        Self { address, seen }
    }

    /// How often each record was added, with its newest note.
    pub fn added(&self) -> BTreeMap<String, (u64, String)> {
        self.seen.lock().expect("no panic").rows.clone()
    }

    /// Records by their key, as upserts leave them.
    pub fn keyed(&self) -> BTreeMap<String, String> {
        self.seen.lock().expect("no panic").keyed.clone()
    }

    /// Every record there is: those that were added as often as they were, those with a key once.
    pub fn rows(&self) -> Vec<(String, String)> {
        let seen = self.seen.lock().expect("no panic");
        let often = |(sku, (count, note)): (&String, &(u64, String))| {
            let count = if seen.by_key { 1 } else { *count };
            std::iter::repeat_n((sku.clone(), note.clone()), usize::try_from(count).expect("few"))
        };
        seen.rows.iter().flat_map(often).collect()
    }

    /// Requests whose key was known with another body.
    pub fn mixed(&self) -> u64 {
        self.seen.lock().expect("no panic").mixed
    }

    /// Most requests that were under way at the same time.
    pub fn most_at_once(&self) -> usize {
        self.seen.lock().expect("no panic").most_at_once
    }
}

/// Whether the server refuses a record by a rule of its own.
pub fn refused(sku: &str) -> bool {
    sku.starts_with("BAD-")
}

fn serve(stream: TcpStream, seen: &Mutex<Seen>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (lie, status, answer) = {
            let mut seen = seen.lock().expect("no panic");
            seen.at_once += 1;
            seen.most_at_once = seen.most_at_once.max(seen.at_once);
            seen.answer(&method, &path, &headers, &body)
        };
        let text = if status == 204 { String::new() } else { answer.to_string() };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nretry-after: 0\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        let done = || seen.lock().expect("no panic").at_once -= 1;
        match lie {
            Some(Lie::ApplyThenDrop) => {
                done();
                return None;
            }
            Some(Lie::Stall) => {
                // Who gave up on it is not under way any more.
                done();
                std::thread::park_timeout(Duration::from_millis(1_500));
                return None;
            }
            Some(Lie::CloseEarly) => {
                done();
                stream.write_all(head.as_bytes()).ok()?;
                stream.write_all(&text.as_bytes()[..text.len() / 2]).ok()?;
                return None;
            }
            Some(Lie::Slow) => std::thread::park_timeout(Duration::from_millis(50)),
            _ => {}
        }
        // Before the answer: the next request may come sooner than this thread goes on.
        done();
        stream.write_all(format!("{head}{text}").as_bytes()).ok()?;
    }
}

impl Seen {
    fn answer(
        &mut self,
        method: &str,
        path: &str,
        headers: &HashMap<String, String>,
        body: &[u8],
    ) -> (Option<Lie>, u16, Value) {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        if method == "GET" {
            let found = parts.get(1).and_then(|sku| self.rows.get_key_value(*sku));
            return match found {
                Some((sku, (_, note))) => (None, 200, json!({ "sku": sku, "note": note })),
                None => (None, 404, json!({ "error": "none" })),
            };
        }
        self.writes += 1;
        self.by_key |= method == "PUT";
        let lie = self.lies.iter().find(|(every, _)| self.writes.is_multiple_of(*every)).map(|(_, lie)| *lie);
        match lie {
            Some(Lie::Wait) => return (None, 429, json!({ "error": "slow down" })),
            Some(Lie::Break) => return (None, 500, json!({ "error": "broken" })),
            _ => {}
        }
        let key = headers.get("idempotency-key").cloned();
        let known = key.as_ref().and_then(|key| self.known.get(key));
        let answer = match known {
            Some((asked, _)) if asked != body => {
                self.mixed += 1;
                return (None, 422, json!({ "error": "another request has this key" }));
            }
            Some((_, answer)) => answer.clone(),
            None => {
                let answer = self.apply(method, &parts, body);
                if let Some(key) = key {
                    self.known.insert(key, (body.to_vec(), answer.clone()));
                }
                answer
            }
        };
        let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        match lie {
            Some(Lie::ApplyThenBreak) => (None, 500, json!({ "error": "broken after all" })),
            other => (other, status, answer),
        }
    }

    fn apply(&mut self, method: &str, parts: &[&str], body: &[u8]) -> Value {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let one = body["records"].is_null();
        let records = match body["records"].as_array() {
            Some(records) => records.clone(),
            None => vec![body.clone()],
        };
        let atomic = parts.first() == Some(&"whole");
        if atomic && records.iter().any(|record| record["sku"].as_str().is_some_and(refused)) {
            return json!({ "status": 400, "error": "one of them is bad" });
        }
        let mut results = Vec::new();
        for record in &records {
            let sku = record["sku"].as_str().unwrap_or_default().to_owned();
            let note = record["note"].as_str().unwrap_or_default().to_owned();
            if refused(&sku) {
                let message = format!("the sku {sku} is not for sale");
                let error =
                    json!({ "ok": false, "sku": sku, "code": "NOT_FOR_SALE", "message": message, "field": "sku" });
                if one {
                    return json!({ "status": 422, "error": error });
                }
                results.push(error);
                continue;
            }
            if method == "DELETE" {
                self.keyed.remove(&sku);
            } else {
                let row = self.rows.entry(sku.clone()).or_default();
                row.0 += 1;
                row.1.clone_from(&note);
                self.keyed.insert(sku.clone(), note);
            }
            results.push(json!({ "ok": true, "sku": sku }));
        }
        match one {
            true => json!({ "status": 201, "id": "x" }),
            false => json!({ "status": 200, "results": results }),
        }
    }
}
