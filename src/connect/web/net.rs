//! The network as a wire: HTTP/1.1 over kept connections, TLS always verified, answers decompressed
//! within caps while they come in.
//!
//! There is one client for each client certificate; which one a request takes is decided by its host
//! alone. Redirects are never followed here: whoever signs in has to decide that.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};
use url::Url;

use super::hosts::Pattern;
use super::wire::{Answer, Flow, Head, Request, Unanswered, Wire};
use crate::connect::http::{self, Tls};
use crate::connect::pack::transport::{Caps, Timeouts};
use crate::error::codes::connect::HTTP_FAILED;
use crate::error::{Error, Kind, Result};

/// Below this the ratio of inflation does not matter.
const INFLATION_FLOOR: u64 = 1 << 20;
/// Connections that nobody uses are closed after this: before the usual balancer does it.
const IDLE: Duration = Duration::from_secs(50);
/// What is taken at once for an answer that says how long it is.
const RESERVE: u64 = 4 << 20;

/// What the network is told once.
#[derive(Debug, Default)]
pub struct Settings {
    /// How long is waited.
    pub timeouts: Timeouts,
    /// How much an answer may be.
    pub caps: Caps,
    /// Whom to trust; its identity is that of every host without one of its own.
    pub tls: Tls,
    /// Client certificates with the hosts they are for.
    pub identities: Vec<(Vec<Pattern>, Tls)>,
    /// Whether TLS may be spoken at all: else no authorities are read.
    pub secure: bool,
}

/// The network.
#[derive(Debug)]
pub struct Net {
    settings: Settings,
    usual: Clients,
    /// For requests that may take longer than any other: what is waited for is said by each of them.
    patient: OnceLock<Result<Clients>>,
}

/// A client for each client certificate.
#[derive(Debug)]
struct Clients {
    plain: reqwest::Client,
    identities: Vec<(Vec<Pattern>, reqwest::Client)>,
}

impl Net {
    /// Makes the clients; nothing is called yet.
    ///
    /// # Errors
    /// If certificates or keys cannot be used.
    pub fn new(settings: Settings) -> Result<Self> {
        let usual = Clients::new(&settings, Some(settings.timeouts.answer))?;
        Ok(Self { settings, usual, patient: OnceLock::new() })
    }

    fn client(&self, url: &Url, timeout: Option<Duration>) -> Result<&reqwest::Client, Unanswered> {
        let clients = match timeout {
            Some(longer) if longer > self.settings.timeouts.answer => {
                let made = self.patient.get_or_init(|| Clients::new(&self.settings, None));
                made.as_ref().map_err(|error| bad(error.cause()))?
            }
            _ => &self.usual,
        };
        let found = clients.identities.iter().find(|(hosts, _)| hosts.iter().any(|pattern| pattern.is_for(url)));
        Ok(found.map_or(&clients.plain, |(_, client)| client))
    }

    /// Sends it and waits for the head of the answer.
    async fn open_answer(
        &self,
        request: Request,
        began: Instant,
        whole: Option<Duration>,
    ) -> Result<(reqwest::Response, Head), Unanswered> {
        let client = self.client(&request.url, request.timeout)?;
        let mut headers = request.headers;
        if !headers.contains_key(ACCEPT_ENCODING) {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, zstd"));
        }
        let mut made = reqwest::Request::new(request.method, request.url);
        *made.headers_mut() = headers;
        *made.timeout_mut() = request.timeout.or(whole);
        if !request.body.is_empty() {
            *made.body_mut() = Some(request.body.into());
        }
        let mut response = client.execute(made).await.map_err(|error| unanswered(&error, began.elapsed()))?;
        let head = Head {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            waited: began.elapsed(),
        };
        Ok((response, head))
    }
}

impl Clients {
    fn new(settings: &Settings, answer: Option<Duration>) -> Result<Self> {
        let build = |tls: &Tls| -> Result<reqwest::Client> {
            let mut builder = http::builder(settings.secure.then_some(tls))?
                .http1_only()
                .tcp_nodelay(true)
                .tcp_keepalive(Duration::from_secs(30))
                .pool_idle_timeout(IDLE)
                .connect_timeout(settings.timeouts.connect);
            if let Some(answer) = answer {
                builder = builder.read_timeout(answer);
            }
            builder.build().map_err(|e| Error::new(Kind::Environment, &HTTP_FAILED, http::plain(&e)))
        };
        let identities = settings.identities.iter();
        let identities = identities.map(|(hosts, tls)| Ok((hosts.clone(), build(tls)?))).collect::<Result<_>>()?;
        Ok(Self { plain: build(&settings.tls)?, identities })
    }
}

impl Wire for Net {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + '_>> {
        Box::pin(async move {
            let began = Instant::now();
            let (mut response, mut head) = self.open_answer(request, began, Some(self.settings.timeouts.whole)).await?;
            let mut inflate = Inflate::of(&mut head.headers, self.settings.caps.body, self.settings.caps.inflation)?;
            let Some(mut piece) = response.chunk().await.map_err(|error| broken(&error))? else {
                let body = inflate.end()?;
                return Ok(Answer { status: head.status, headers: head.headers, body, took: began.elapsed() });
            };
            // Most answers come in one piece, which is then used as it is.
            let mut body = BytesMut::new();
            loop {
                let next = response.chunk().await.map_err(|error| broken(&error))?;
                let made = inflate.take(piece)?;
                let Some(more) = next else {
                    let rest = inflate.end()?;
                    let body = match (body.is_empty(), made.is_empty(), rest.is_empty()) {
                        (true, _, true) => made,
                        (true, true, _) => rest,
                        _ => {
                            body.extend_from_slice(&made);
                            body.extend_from_slice(&rest);
                            body.freeze()
                        }
                    };
                    return Ok(Answer { status: head.status, headers: head.headers, body, took: began.elapsed() });
                };
                if body.is_empty() {
                    let said =
                        head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
                    body.reserve(usize::try_from(said.unwrap_or(0).min(RESERVE)).unwrap_or(0));
                }
                body.extend_from_slice(&made);
                piece = more;
            }
        })
    }

    fn open(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Flow, Unanswered>> + Send + '_>> {
        Box::pin(async move {
            // A file may take as long as it takes, if only it goes on.
            let (response, mut head) = self.open_answer(request, Instant::now(), None).await?;
            let inflate = Inflate::of(&mut head.headers, self.settings.caps.stream, self.settings.caps.inflation)?;
            let pieces = Pieces { response, inflate: Some(inflate) };
            Ok(Flow::new(head, Box::new(pieces)))
        })
    }
}

/// The rest of an answer.
struct Pieces {
    response: reqwest::Response,
    inflate: Option<Inflate>,
}

impl super::wire::Stream for Pieces {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Unanswered>> + Send + '_>> {
        Box::pin(async move {
            loop {
                let Some(inflate) = &mut self.inflate else { return Ok(None) };
                let made = match self.response.chunk().await.map_err(|error| broken(&error))? {
                    Some(piece) => inflate.take(piece)?,
                    None => {
                        let rest = inflate.end()?;
                        self.inflate = None;
                        rest
                    }
                };
                if !made.is_empty() {
                    return Ok(Some(made));
                }
            }
        })
    }
}

/// Takes compression off, within caps.
struct Inflate {
    how: How,
    taken: u64,
    made: u64,
    cap: u64,
    ratio: u64,
}

enum How {
    Not,
    /// Nothing came yet: whether `deflate` has the frame of zlib is known by its first bytes.
    Deflate(Vec<u8>),
    Gzip(Box<flate2::write::MultiGzDecoder<Sink>>),
    Plain(Box<Plain>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Sink>>),
    Ended,
}

/// `deflate`, with the frame of zlib or without. Knows whether the end was reached.
struct Plain {
    of: flate2::Decompress,
    sink: Sink,
    ended: bool,
}

impl Plain {
    fn write_all(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        let mut room = [0; 16 << 10];
        while !self.ended {
            let (taken, made) = (self.of.total_in(), self.of.total_out());
            let status = self.of.decompress(bytes, &mut room, flate2::FlushDecompress::None)?;
            bytes = bytes.get(usize::try_from(self.of.total_in() - taken).unwrap_or(0)..).unwrap_or_default();
            let made = usize::try_from(self.of.total_out() - made).unwrap_or(0);
            self.sink.write_all(room.get(..made).unwrap_or_default())?;
            self.ended = status == flate2::Status::StreamEnd;
            if made < room.len() && bytes.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

/// Takes what a decompressor makes, and refuses more than is left of the cap: a bomb goes off in parts.
struct Sink {
    made: Vec<u8>,
    left: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "beyond the cap"));
        }
        self.left -= bytes.len() as u64;
        self.made.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Inflate {
    /// By what the headers say, which then say it no longer.
    fn of(headers: &mut HeaderMap, cap: u64, ratio: u64) -> Result<Self, Unanswered> {
        let said = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii().to_ascii_lowercase());
        let sink = || Sink { made: Vec::new(), left: cap };
        let how = match said.as_deref() {
            None | Some(b"" | b"identity") => How::Not,
            Some(b"gzip" | b"x-gzip") => How::Gzip(Box::new(flate2::write::MultiGzDecoder::new(sink()))),
            Some(b"deflate") => How::Deflate(Vec::new()),
            Some(b"zstd") => {
                let made = zstd::stream::write::Decoder::new(sink()).map_err(|_| bad("zstd cannot be started"))?;
                How::Zstd(Box::new(made))
            }
            Some(_) => return Err(bad("the answer is compressed in a way that was not asked for")),
        };
        if !matches!(how, How::Not) {
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
        } else if let Some(length) =
            headers.get(CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse::<u64>().ok())
            && length > cap
        {
            return Err(too_large(cap));
        }
        Ok(Self { how, taken: 0, made: 0, cap, ratio })
    }

    fn take(&mut self, piece: Bytes) -> Result<Bytes, Unanswered> {
        self.taken += piece.len() as u64;
        if self.taken > self.cap {
            return Err(too_large(self.cap));
        }
        if let How::Deflate(begun) = &mut self.how {
            begun.extend_from_slice(&piece);
            if begun.len() < 2 {
                return Ok(Bytes::new());
            }
            let begun = std::mem::take(begun);
            let sink = Sink { made: Vec::new(), left: self.cap };
            // RFC 1950: method 8, and both bytes a multiple of 31.
            let framed = begun[0] & 15 == 8 && (u16::from(begun[0]) << 8 | u16::from(begun[1])) % 31 == 0;
            self.how = How::Plain(Box::new(Plain { of: flate2::Decompress::new(framed), sink, ended: false }));
            return self.feed(&begun);
        }
        if matches!(self.how, How::Not) {
            return Ok(piece);
        }
        self.feed(&piece)
    }

    /// In small steps, so that the ratio is looked at before much came out.
    fn feed(&mut self, bytes: &[u8]) -> Result<Bytes, Unanswered> {
        for step in bytes.chunks(16 << 10) {
            let cap = self.cap;
            let wrong = |error: std::io::Error| match error.kind() {
                std::io::ErrorKind::FileTooLarge => too_large(cap),
                _ => bad("the answer is not compressed as it says"),
            };
            let written = match &mut self.how {
                How::Gzip(of) => of.write_all(step).and_then(|()| of.flush()),
                How::Plain(of) => of.write_all(step),
                How::Zstd(of) => of.write_all(step).and_then(|()| of.flush()),
                How::Not | How::Deflate(_) | How::Ended => Ok(()),
            };
            written.map_err(wrong)?;
            let pending = self.pending();
            self.check(pending)?;
        }
        Ok(self.drain())
    }

    fn sink(&mut self) -> Option<&mut Sink> {
        Some(match &mut self.how {
            How::Gzip(of) => of.get_mut(),
            How::Plain(of) => &mut of.sink,
            How::Zstd(of) => of.get_mut(),
            How::Not | How::Deflate(_) | How::Ended => return None,
        })
    }

    fn pending(&mut self) -> u64 {
        self.sink().map_or(0, |sink| sink.made.len() as u64)
    }

    fn drain(&mut self) -> Bytes {
        let made = self.sink().map(|sink| std::mem::take(&mut sink.made)).unwrap_or_default();
        self.made += made.len() as u64;
        made.into()
    }

    fn check(&self, pending: u64) -> Result<(), Unanswered> {
        let made = self.made + pending;
        if made > INFLATION_FLOOR && made / self.taken.max(1) > self.ratio {
            let cause = format!("the answer inflates to more than {} times its size", self.ratio);
            return Err(Unanswered { cause, sent: true, temporary: false });
        }
        Ok(())
    }

    /// The last of it; an end that came too early is an error.
    fn end(&mut self) -> Result<Bytes, Unanswered> {
        let cap = self.cap;
        let wrong = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::FileTooLarge => too_large(cap),
            _ => Unanswered { temporary: true, ..bad("the compressed answer ends too early") },
        };
        let sink = match std::mem::replace(&mut self.how, How::Ended) {
            How::Not | How::Ended => return Ok(Bytes::new()),
            How::Deflate(begun) if begun.is_empty() => return Ok(Bytes::new()),
            How::Deflate(_) => return Err(bad("the answer is not compressed as it says")),
            // An answer without a body (to HEAD, 304) may still say how it would be compressed.
            _ if self.taken == 0 => return Ok(Bytes::new()),
            How::Gzip(of) => of.finish().map_err(wrong)?,
            How::Plain(of) if of.ended => of.sink,
            How::Plain(_) => return Err(wrong(std::io::ErrorKind::UnexpectedEof.into())),
            How::Zstd(of) => of.finish().map_err(wrong)?,
        };
        self.check(sink.made.len() as u64)?;
        Ok(sink.made.into())
    }
}

fn bad(cause: &str) -> Unanswered {
    Unanswered { cause: cause.to_owned(), sent: true, temporary: false }
}

fn too_large(cap: u64) -> Unanswered {
    Unanswered { cause: format!("the answer is larger than {} MiB", cap >> 20), sent: true, temporary: false }
}

/// Why there is no head of an answer. Sent or not: only a connection that never came about is certain.
fn unanswered(error: &reqwest::Error, waited: Duration) -> Unanswered {
    if error.is_builder() {
        return Unanswered { cause: http::plain(error), sent: false, temporary: false };
    }
    let sent = !error.is_connect();
    if error.is_timeout() {
        let what = if sent { "no answer" } else { "no connection" };
        let cause = format!("{what} within {:.1} s", waited.as_secs_f64());
        return Unanswered { cause, sent, temporary: true };
    }
    if let Some(why) = untrusted(error) {
        return Unanswered { cause: format!("the server cannot be trusted: {why}"), sent: false, temporary: false };
    }
    Unanswered { cause: http::plain(error), sent, temporary: true }
}

/// Why an answer broke off.
fn broken(error: &reqwest::Error) -> Unanswered {
    let cause = match error.is_timeout() {
        true => "the answer did not go on in time".to_owned(),
        false => format!("the answer broke off: {}", http::plain(error)),
    };
    Unanswered { cause, sent: true, temporary: true }
}

/// What TLS found wrong, if it was that: trying again does not help then.
fn untrusted(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = cause {
        let inner = one.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let found = one.downcast_ref::<rustls::Error>().or_else(|| inner?.downcast_ref::<rustls::Error>());
        if let Some(found) = found {
            return Some(found.to_string());
        }
        cause = one.source();
    }
    None
}

#[cfg(test)]
#[path = "net_tests.rs"]
mod tests;
