//! A small HTTP server whose answers are a function of the request; it remembers what it was asked. With a
//! configuration of rustls it speaks TLS.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Ask {
    /// The body as a tree; null if it is none.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A field of the body, which is a form.
    pub fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes()).find(|(known, _)| known == name).map(|(_, v)| v.into_owned())
    }

    /// A header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// A good answer.
pub fn good(body: &Json) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: body.to_string() }
}

/// Another one.
pub fn status(status: u16, body: &Json) -> Reply {
    Reply { status, ..good(body) }
}

impl Reply {
    /// With a header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Act = dyn Fn(&Ask) -> Reply + Send + Sync;

/// The server; it ends with the process.
pub struct Web {
    pub port: u16,
    asked: Arc<Mutex<Vec<Ask>>>,
}

impl Web {
    /// A server that answers so.
    pub fn start(act: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(act))
    }

    /// The same with TLS.
    pub fn secure(tls: rustls::ServerConfig, act: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Some(Arc::new(tls)), Arc::new(act))
    }

    /// A server that answers each request with the next of these statuses, the last one again and again; what comes is
    /// handed on at once.
    pub fn told(statuses: &'static [u16]) -> (Self, Receiver<Ask>) {
        let ((say, heard), answered) = (channel(), AtomicUsize::new(0));
        let server = Self::start(move |ask| {
            let _ = say.send(ask.clone());
            let index = answered.fetch_add(1, Ordering::SeqCst);
            status(*statuses.get(index).or(statuses.last()).expect("a status"), &Json::Null)
        });
        (server, heard)
    }

    fn serve(tls: Option<Arc<rustls::ServerConfig>>, act: Arc<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Ask>>> = Arc::default();
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, act, tls) = (Arc::clone(&seen), Arc::clone(&act), tls.clone());
                std::thread::spawn(move || match tls {
                    None => connection(stream, &seen, &*act),
                    Some(tls) => {
                        let server = rustls::ServerConnection::new(tls).unwrap();
                        connection(rustls::StreamOwned::new(server, stream), &seen, &*act)
                    }
                });
            }
        });
        Self { port, asked }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Ask> {
        self.asked.lock().unwrap().clone()
    }

    /// `METHOD /path` of each request.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|ask| format!("{} {}", ask.method, ask.path)).collect()
    }
}

/// Until the other side goes away.
fn connection(stream: impl Read + Write, seen: &Mutex<Vec<Ask>>, act: &Act) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut first = line.split(' ');
        let mut ask = Ask { method: first.next()?.to_owned(), ..Ask::default() };
        let target = first.next()?.to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        ask.path = path.to_owned();
        ask.query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim().split_once(':') else { break };
            ask.headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = ask.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        ask.body = String::from_utf8_lossy(&body).into_owned();
        seen.lock().unwrap().push(ask.clone());
        let reply = act(&ask);
        let mut out = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
        if !reply.headers.iter().any(|(name, _)| *name == "content-type") {
            out.push_str("content-type: application/json\r\n");
        }
        for (name, value) in &reply.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        out.push_str(&reply.body);
        stream.get_mut().write_all(out.as_bytes()).ok()?;
        stream.get_mut().flush().ok()?;
    }
}
