//! A far side for tests: an HTTP server in a few lines that does what it is told, lies included.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came in.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What is done with a request.
pub enum Reply {
    /// These bytes, then the connection is kept.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is closed.
    Last(Vec<u8>),
    /// Piece by piece, with pauses.
    Slow(Vec<Vec<u8>>, Duration),
}

/// A whole answer.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut made = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        made.push_str(&format!("{name}: {value}\r\n"));
    }
    made.push_str("\r\n");
    Reply::Bytes([made.as_bytes(), body].concat())
}

/// A server, and what it was asked.
pub struct FarSide {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FarSide {
    /// `act` gets the number of the request (from 0) and the request.
    pub fn start(act: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (seen, act) = (Arc::clone(&asked), Arc::new(act));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), seen, act) = (stream, Arc::clone(&seen), Arc::clone(&act)) else { return };
                std::thread::spawn(move || serve(&stream, &seen, &*act));
            }
        });
        Self { port, asked }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<Asked>>, act: &dyn Fn(usize, &Asked) -> Reply) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut out = stream;
    loop {
        let mut asked = Asked::default();
        reader.read_line(&mut asked.line).ok().filter(|read| *read > 0)?;
        asked.line = asked.line.trim_end().to_owned();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            asked.headers.push((name.to_owned(), value.to_owned()));
        }
        let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        asked.body = vec![0; length];
        reader.read_exact(&mut asked.body).ok()?;
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(asked.clone());
            seen.len() - 1
        };
        match act(number, &asked) {
            Reply::Bytes(bytes) => out.write_all(&bytes).ok()?,
            Reply::Last(bytes) => {
                let _ = out.write_all(&bytes);
                let _ = stream.shutdown(Shutdown::Both);
                return None;
            }
            Reply::Slow(pieces, pause) => {
                for piece in pieces {
                    out.write_all(&piece).ok()?;
                    std::thread::park_timeout(pause);
                }
            }
        }
    }
}
