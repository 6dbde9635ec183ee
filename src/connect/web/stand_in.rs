//! What stands in for a system: a simulator on this machine, or a recording of this process.
//!
//! A connector names it with the option `simulator`, so that nothing between the configuration and the wire
//! has to know of it: requests are made, signed and judged as for the system itself, and only then go elsewhere.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;
use url::{Host, Url};

use super::wire::{Answer, Flow, Request, Unanswered, Wire};
use crate::config::{Connector, Node, OptionKind, OptionSpec, Piece};
use crate::error::codes::connect::PACK_INVALID;
use crate::error::{Error, Kind, Result};

/// The option of every pack.
pub const OPTION: OptionSpec = OptionSpec::new(
    "simulator",
    OptionKind::Text,
    "The address of a simulator on this machine (`consign connect simulate`): every call goes there, whatever host it is for, and references under `auth` that lead nowhere are made up.",
)
.stands_in();

/// The header that tells a simulator which origin a request was for (`https://api.example.com`).
pub const ORIGIN: &str = "x-consign-origin";

/// Recordings of this process, by number.
static RECORDINGS: Mutex<BTreeMap<u64, Arc<dyn Wire>>> = Mutex::new(BTreeMap::new());

/// What stands in.
pub enum StandIn {
    /// A recording of this process.
    Recording(Arc<dyn Wire>),
    /// A simulator.
    Simulator(Url),
}

impl StandIn {
    /// What stands in for a connector's system; `None`: nothing does.
    ///
    /// # Errors
    /// If it names what is no address, or not this machine: credentials would go to somebody else.
    pub fn of(connector: &Connector) -> Result<Option<Self>> {
        let Some((_, node)) = connector.with.iter().find(|(key, _)| key.value == OPTION.name) else { return Ok(None) };
        let Node::Text(text) = &node.value else { return Ok(None) };
        let text: String =
            text.pieces.iter().map(|piece| if let Piece::Literal(text) = piece { text.as_str() } else { "" }).collect();
        let wrong = |cause: &str| {
            Error::new(Kind::Invalid, &PACK_INVALID, cause)
                .at(node.place.clone())
                .hint("write the address that `consign connect simulate` prints, `http://127.0.0.1:8500`")
        };
        if let Some(number) = text.strip_prefix("recording:") {
            let known = RECORDINGS.lock().unwrap_or_else(PoisonError::into_inner);
            let found = number.parse().ok().and_then(|number: u64| known.get(&number).cloned());
            return found.map(|wire| Some(Self::Recording(wire))).ok_or_else(|| wrong("there is no such recording"));
        }
        let url = Url::parse(&text).map_err(|_| wrong("the simulator's address is no URL"))?;
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if !here {
            return Err(wrong("a simulator runs on this machine: its address is another one"));
        }
        Ok(Some(Self::Simulator(url)))
    }

    /// The wire that a connector is called over, in place of the network's.
    pub fn wire(self, network: Arc<dyn Wire>) -> Arc<dyn Wire> {
        match self {
            Self::Recording(wire) => wire,
            Self::Simulator(url) => Arc::new(Diverted { to: url, network }),
        }
    }
}

/// A recording that connectors can name, for as long as this lives.
pub struct Lent(u64);

/// Lends a wire to connectors that name it.
pub fn lend(wire: Arc<dyn Wire>) -> Lent {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    RECORDINGS.lock().unwrap_or_else(PoisonError::into_inner).insert(number, wire);
    Lent(number)
}

impl Lent {
    /// What a connector says under `simulator` to be called over it.
    pub fn name(&self) -> String {
        format!("recording:{}", self.0)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        RECORDINGS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// The network, with every call led to one address.
struct Diverted {
    to: Url,
    network: Arc<dyn Wire>,
}

impl Diverted {
    fn diverted(&self, mut request: Request) -> Request {
        let meant = request.url.origin().ascii_serialization();
        let mut url = self.to.clone();
        url.set_path(request.url.path());
        url.set_query(request.url.query());
        request.url = url;
        if let Ok(value) = HeaderValue::from_str(&meant) {
            request.headers.insert(ORIGIN, value);
        }
        request.headers.remove(reqwest::header::HOST);
        request
    }
}

impl Wire for Diverted {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + '_>> {
        self.network.send(self.diverted(request))
    }

    fn open(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Flow, Unanswered>> + Send + '_>> {
        self.network.open(self.diverted(request))
    }

    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.network.pause(time)
    }

    fn now(&self) -> jiff::Timestamp {
        self.network.now()
    }
}
