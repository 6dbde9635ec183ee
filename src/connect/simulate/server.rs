//! The simulated system on the network: HTTP/1.1 on a local port, one task for each connection.
//!
//! By hand, since it has to do what no server library does: break connections at chosen moments.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::routes::Asked;
use super::trouble::{self, Plan, Trouble};
use super::wording::Left;
use super::world::{Answered, World};
use crate::connect::pack::Pack;
use crate::error::codes::connect::CALL_UNANSWERED;
use crate::error::{Error, Kind, Result};

/// Requests with more than this are refused.
const MOST_HEAD: usize = 64 << 10;
const MOST_BODY: usize = 256 << 20;

/// How a simulated system behaves.
pub struct Ways {
    /// What goes wrong, and how often.
    pub troubles: Vec<Plan>,
    /// What the schedule of troubles follows from.
    pub seed: u64,
    /// How long each answer takes.
    pub latency: Duration,
    /// How many requests it takes; beyond that 429.
    pub rate: Option<Rate>,
    /// Who is told of each request, as a line.
    pub told: Option<Told>,
    /// Who is told of each record that changed.
    pub changed: Option<tokio::sync::mpsc::UnboundedSender<serde_json::Value>>,
}

/// How much may be asked of a simulated system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// So many requests in a second.
    PerSecond(u32),
    /// What the pack says under `limits`.
    OfPack,
}

/// Takes a line.
pub type Told = Box<dyn Fn(&str) + Send + Sync>;

/// A simulated system that listens.
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    ways: Ways,
    requests: Mutex<Counted>,
    budget: Option<Budget>,
}

struct Counted {
    number: u64,
    /// Units that may still be asked for, as of this moment.
    left: f64,
    at: Instant,
}

/// How many units there are, and how they come back.
#[derive(Clone, Copy)]
struct Budget {
    of: f64,
    per_second: f64,
}

impl Budget {
    fn of(rate: Option<Rate>, pack: &Pack) -> Option<Self> {
        match rate? {
            Rate::PerSecond(rate) => Some(Self { of: f64::from(rate), per_second: f64::from(rate) }),
            Rate::OfPack => {
                let general = &pack.limits.general;
                let rate = general.rate? as f64;
                let of = if general.burst > 1 { general.burst as f64 } else { rate };
                Some(Self { of, per_second: rate / general.per.as_secs_f64() })
            }
        }
    }
}

impl Counted {
    /// Takes what a request costs. What is left then, and whether it was there.
    fn take(&mut self, budget: Budget, cost: f64) -> (Left, bool) {
        let now = Instant::now();
        self.left = (self.left + budget.per_second * (now - self.at).as_secs_f64()).min(budget.of);
        self.at = now;
        let granted = self.left >= cost;
        if granted {
            self.left -= cost;
        }
        let missing = if granted { 0.0 } else { cost - self.left };
        let seconds = |units: f64| (units / budget.per_second).ceil() as u64;
        let left = Left {
            left: self.left as u64,
            of: budget.of as u64,
            cost: cost as u64,
            restore: budget.per_second.max(1.0) as u64,
            reset_seconds: seconds(budget.of - self.left).max(1),
            wait_seconds: seconds(missing).max(1),
        };
        (left, granted)
    }
}

impl Server {
    /// Listens. `address`: `127.0.0.1:8500`; port 0: a free one.
    ///
    /// # Errors
    /// If the address cannot be listened on, or is not this machine's own.
    pub async fn start(address: &str, world: World, ways: Ways) -> Result<Self> {
        let failed = |e: std::io::Error| {
            Error::new(Kind::Environment, &CALL_UNANSWERED, format!("cannot listen on {address}: {e}"))
                .hint("another port: `--listen 127.0.0.1:0` takes a free one")
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let budget = Budget::of(ways.rate, world.pack);
        let counted = Counted { number: 0, left: budget.map_or(0.0, |budget| budget.of), at: Instant::now() };
        let shared = Shared { world: Mutex::new(world), ways, requests: Mutex::new(counted), budget };
        Ok(Self { listener, shared: Arc::new(shared) })
    }

    /// The address that it is reached at.
    pub fn url(&self) -> String {
        self.listener.local_addr().map_or_else(|_| String::new(), |address| format!("http://{address}"))
    }

    /// Serves until the future that it is raced with ends.
    pub async fn serve(self) {
        loop {
            let Ok((stream, _)) = self.listener.accept().await else { continue };
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move {
                // A client that goes away is none of our business.
                let _ = connection(stream, &shared).await;
            });
        }
    }
}

async fn connection(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some((asked, keep)) = request(&mut stream, &mut buffer).await? {
        if !answer(&mut stream, &asked, shared).await? || !keep {
            return Ok(());
        }
    }
    Ok(())
}

/// Answers; `false`: the connection ends.
async fn answer(stream: &mut TcpStream, asked: &Asked, shared: &Shared) -> std::io::Result<bool> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let control = asked.path.starts_with("/simulator/");
    let cost = match (shared.ways.rate, control) {
        (_, true) => 0.0,
        (Some(Rate::OfPack), _) => shared.world.lock().unwrap_or_else(PoisonError::into_inner).cost(asked),
        _ => 1.0,
    };
    let (number, left) = {
        let mut counted = shared.requests.lock().unwrap_or_else(PoisonError::into_inner);
        counted.number += 1;
        (counted.number, shared.budget.map(|budget| counted.take(budget, cost)))
    };
    let crowded = left.is_some_and(|(_, granted)| !granted);
    if !shared.ways.latency.is_zero() {
        tokio::time::sleep(shared.ways.latency).await;
    }
    let mut trouble = None;
    let (answered, writes) = {
        let mut world = shared.world.lock().unwrap_or_else(PoisonError::into_inner);
        let writes = world.writes(asked);
        if !control {
            trouble = match crowded {
                true => Some(Trouble::Status(429)),
                false => trouble::of(&shared.ways.troubles, shared.ways.seed, number, writes),
            };
        }
        if trouble == Some(Trouble::Drop) {
            (None, writes)
        } else {
            if trouble == Some(Trouble::ExpireToken) {
                world.expire_tokens();
            }
            (Some(world.answer(asked, now, trouble, left.as_ref().map(|(left, _)| left))), writes)
        }
    };
    let Some(mut answered) = answered else {
        tell(shared, number, asked, "fault: dropped before it was done");
        return Ok(false);
    };
    if let Some(changed) = &shared.ways.changed {
        for (stream, done, record) in &answered.changes {
            // Nobody listens any more: the program ends.
            let _ = changed.send(serde_json::json!({ "stream": stream, "event": done, "record": record }));
        }
    }
    let mut said = format!("{} {}", answered.status, answered.what);
    match trouble {
        Some(Trouble::Stall(time)) => {
            said.push_str(", fault: late");
            tokio::time::sleep(time).await;
        }
        Some(Trouble::DropAfterWrite) => {
            tell(shared, number, asked, &format!("{said}, fault: dropped after it was done"));
            return Ok(false);
        }
        Some(Trouble::StatusAfterWrite(status)) if writes => {
            said = format!("{status} {}, fault: though it was done", answered.what);
            answered = Answered { status, body: b"{}".to_vec(), headers: Vec::new(), ..answered };
        }
        _ => {}
    }
    tell(shared, number, asked, &said);
    send(stream, &answered, asked.method == "HEAD", trouble == Some(Trouble::Cut)).await
}

fn tell(shared: &Shared, number: u64, asked: &Asked, what: &str) {
    if let Some(told) = &shared.ways.told {
        told(&format!("{number} {} {}: {what}", asked.method, asked.path));
    }
}

async fn send(stream: &mut TcpStream, answered: &Answered, head: bool, cut: bool) -> std::io::Result<bool> {
    let mut out = format!("HTTP/1.1 {} simulated\r\n", answered.status).into_bytes();
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (name, value) in &answered.headers {
        if !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection" | "date" | "content-encoding")
        {
            let clean: String = value.chars().filter(|c| !c.is_control()).collect();
            out.extend_from_slice(format!("{name}: {clean}\r\n").as_bytes());
        }
    }
    out.extend_from_slice(format!("date: {date}\r\ncontent-length: {}\r\n\r\n", answered.body.len()).as_bytes());
    if !head {
        out.extend_from_slice(&answered.body);
    }
    if cut {
        out.truncate(out.len() - answered.body.len() / 2);
    }
    stream.write_all(&out).await?;
    stream.flush().await?;
    Ok(!cut)
}

/// The next request of a connection, and whether another may follow; `None`: the client went away.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<(Asked, bool)>> {
    let end = loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > MOST_HEAD || !more(stream, buffer).await? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or("/"));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let keep = !header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    if header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let body = match (header("content-length").and_then(|text| text.parse::<usize>().ok()), header("transfer-encoding"))
    {
        (_, Some(encoding)) if encoding.eq_ignore_ascii_case("chunked") => match chunks(stream, buffer).await? {
            Some(body) => body,
            None => return Ok(None),
        },
        (Some(length), _) if length > MOST_BODY => return Ok(None),
        (Some(length), _) => {
            while buffer.len() < length {
                if !more(stream, buffer).await? {
                    return Ok(None);
                }
            }
            buffer.drain(..length).collect()
        }
        (None, _) => Vec::new(),
    };
    // An address as a whole, as proxies are sent it.
    let target = match target.find("://") {
        Some(at) => target[at + 3..].find('/').map_or("/", |slash| &target[at + 3 + slash..]),
        None => target,
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Ok(Some((Asked { method, path: path.to_owned(), query, headers, body }, keep)))
}

async fn chunks(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = find(buffer, b"\r\n") {
                break at;
            }
            if buffer.len() > MOST_HEAD || !more(stream, buffer).await? {
                return Ok(None);
            }
        };
        let line = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.drain(..end + 2);
        let length = line.split(';').next().and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
        let Some(length) = length.filter(|length| body.len() + length <= MOST_BODY) else { return Ok(None) };
        while buffer.len() < length + 2 {
            if !more(stream, buffer).await? {
                return Ok(None);
            }
        }
        body.extend(buffer.drain(..length));
        buffer.drain(..2);
        if length == 0 {
            return Ok(Some(body));
        }
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    buffer.reserve(16 << 10);
    Ok(stream.read_buf(buffer).await? > 0)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}
