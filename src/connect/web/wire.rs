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

/// Status and headers of an answer whose body is still to come.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// From sending to here.
    pub waited: Duration,
}

/// An answer that is read piece by piece: a file, a part of an export.
pub struct Flow {
    /// Status and headers.
    pub head: Head,
    rest: Box<dyn Stream>,
}

/// The body of an answer, as it comes in.
pub trait Stream: Send {
    /// The next piece, decompressed; `None` at the end.
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Unanswered>> + Send + '_>>;
}

impl Flow {
    /// Of a head and what comes after it.
    pub fn new(head: Head, rest: Box<dyn Stream>) -> Self {
        Self { head, rest }
    }

    /// Of an answer that is there already.
    pub fn whole(answer: Answer) -> Self {
        let head = Head { status: answer.status, headers: answer.headers, waited: answer.took };
        Self::new(head, Box::new(Whole(Some(answer.body))))
    }

    /// With pieces that were taken off its front already put back.
    #[must_use]
    pub fn behind(self, front: std::collections::VecDeque<Bytes>) -> Self {
        Self { head: self.head, rest: Box::new(Behind(front, self.rest)) }
    }

    /// The next piece, decompressed; `None` at the end, which is only reached if all of it came.
    ///
    /// # Errors
    /// [`Unanswered`] if it breaks off, or is more than the caps allow.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Unanswered> {
        self.rest.next().await
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Flow({})", self.head.status)
    }
}

/// A body that is there already.
struct Whole(Option<Bytes>);

impl Stream for Whole {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Unanswered>> + Send + '_>> {
        let piece = self.0.take().filter(|bytes| !bytes.is_empty());
        Box::pin(std::future::ready(Ok(piece)))
    }
}

/// A body whose beginning was looked at.
struct Behind(std::collections::VecDeque<Bytes>, Box<dyn Stream>);

impl Stream for Behind {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Unanswered>> + Send + '_>> {
        match self.0.pop_front() {
            Some(piece) => Box::pin(std::future::ready(Ok(Some(piece)))),
            None => self.1.next(),
        }
    }
}

/// Who carries requests.
pub trait Wire: Send + Sync {
    /// Sends a request and waits for the whole answer.
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + '_>>;

    /// Sends a request and waits for the head of the answer alone.
    fn open(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Flow, Unanswered>> + Send + '_>> {
        Box::pin(async move { self.send(request).await.map(Flow::whole) })
    }

    /// Lets time pass: between tries, for limits, for jobs. Whoever waits, waits here: a recording does not.
    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(time))
    }

    /// The time it is, for signatures, tokens and `fresh`: in a recording that of the recording.
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}
