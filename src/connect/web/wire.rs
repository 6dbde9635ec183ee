//! What goes over the network and comes back, and who carries it: the network itself, or a recording.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

/// A request as it is sent: nothing of it changes any more.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address. May hold secrets: never shown as a whole, see [`Request::shown`].
    pub url: Url,
    /// Headers, those of the sign-in included.
    pub headers: HeaderMap,
    /// The body; empty: none.
    pub body: Bytes,
    /// How long the answer may take as a whole; `None`: as long as the wire allows.
    pub timeout: Option<Duration>,
}

impl Request {
    /// Method and address without query and user, for people.
    pub fn shown(&self) -> String {
        format!("{} {}{}", self.method, self.url.host_str().unwrap_or_default(), self.url.path())
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// An answer, whatever its status. The body is whole, decompressed and within the cap.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// From sending to the last byte.
    pub took: Duration,
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct Unanswered {
    /// One sentence without a final period and without the address.
    pub cause: String,
    /// Whether the request may have reached the other side: if not, sending it again is safe whatever it does.
    pub sent: bool,
    /// Whether trying again can help.
    pub temporary: bool,
}

/// Who carries requests.
pub trait Wire: Send + Sync {
    /// Sends a request and waits for the whole answer.
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + '_>>;

    /// Lets time pass: between tries, for limits, for jobs. Whoever waits, waits here: a recording does not.
    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(time))
    }

    /// The time it is, for signatures, tokens and `fresh`: in a recording that of the recording.
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}
