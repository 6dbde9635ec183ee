//! Calls an API as its pack says: hosts, sign-in, limits, retries and faults around the wire, in one place
//! for whoever reads, writes, signs in or probes.
//!
//! In this order, and again for each try: the breaker lets it go, the sign-in puts its values into the
//! draft, the address is one that may be called, the budgets have room, the sign-in signs the bytes, the
//! wire carries them, the faults say what the answer is. A call that may have taken effect is only made
//! again where that does no harm.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value as Json;
use url::Url;

use super::budget::{Gate, nanos, now_of};
use super::draft::Draft;
use super::events;
use super::failures::{Failure, failed, later};
use super::hosts::{Hosts, Trust};
use super::net::{Net, Settings};
use super::retry::{self, Leave};
use super::settings::{settings, texts};
use super::stand_in::StandIn;
use super::told;
use super::verdict::{self, Seen, Verdict};
use super::waits;
use super::wire::{Answer, Flow, Request, Unanswered, Wire};
use crate::connect::auth;
use crate::connect::pack::faults::Class;
use crate::connect::pack::request::RequestSpec;
use crate::connect::pack::template::Tree;
use crate::connect::pack::{Given, Scope};
use crate::error::codes::connect::{CALL_UNANSWERED, HOST_NOT_ALLOWED};
use crate::error::{Error, Kind, Result};
use crate::record::{Arena, Timestamp};

/// Redirects that one call follows.
const HOPS: u32 = 5;
/// Of an answer that failed and is read piece by piece, so many bytes are looked at.
const LOOKED: usize = 1 << 20;
/// Of a good one so many: what says that something is wrong is shorter.
const PEEKED: usize = 64 << 10;
/// A secret as short as that would be found anywhere.
const SECRET: usize = 8;

/// What comes later.
pub type Later<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What signs a caller in.
pub trait SignIn: Send + Sync {
    /// What `auth` stands for in templates; something valid is at hand then.
    fn auth(&self) -> Later<'_, Result<Json>>;
    /// Puts values where the pack says. Gives the number of what it signed in with.
    fn prepare<'a>(&'a self, draft: &'a mut Draft) -> Later<'a, Result<u64>>;
    /// Signs the finished request, each time it is sent.
    ///
    /// # Errors
    /// If it cannot be signed.
    fn sign(&self, request: &mut Request) -> Result<()>;
    /// What was signed in with (by its number) is no longer valid: whether there is something new to try with.
    fn renew(&self, number: u64) -> Later<'_, Result<bool>>;
    /// Ends what is not kept for others.
    fn close(&self) -> Later<'_, ()>;
}

/// One request that was sent, as it may be shown: without secrets, without values of records.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// What it was for: "page 3 of `orders`".
    pub what: &'a str,
    /// Method, host and path.
    pub place: String,
    /// The status; `None`: no answer.
    pub status: Option<u16>,
    /// What it is taken for.
    pub class: Class,
    /// From sending to the last byte.
    pub took: Duration,
    /// 1: the first try.
    pub tries: u32,
}

/// Told of each request that was sent.
pub type Hook = Arc<dyn Fn(&Call<'_>) + Send + Sync>;

/// Calls one system, for as long as a connector is open. Shared by everything that calls it.
#[derive(Clone)]
pub struct Caller {
    /// The pack with the connector's values.
    pub given: Arc<Given>,
    wire: Arc<dyn Wire>,
    sign_in: Option<Arc<dyn SignIn>>,
    hook: Option<Hook>,
    /// Over the network, budgets are shared with others.
    shared: bool,
    ready: Arc<OnceLock<Result<Ready>>>,
    warnings: Arc<Mutex<Vec<String>>>,
}

/// What is worked out once.
struct Ready {
    /// The base, without a slash at its end.
    base: Option<String>,
    hosts: Hosts,
    gate: Arc<Gate>,
    /// Names of the headers that are the system's own.
    own_headers: Vec<String>,
    echo: Option<(String, String)>,
}

/// What a call comes to.
enum Got {
    Answer(Answer),
    Flow(Flow),
}

impl Caller {
    /// Over the network, or what stands in for the system.
    ///
    /// # Errors
    /// If an address, a certificate or a key of the connector cannot be used.
    pub fn open(given: Arc<Given>) -> Result<Self> {
        let (wire, shared): (Arc<dyn Wire>, bool) = match StandIn::of(&given.connector)? {
            // A recording needs no network, and shares nothing.
            Some(StandIn::Recording(wire)) => (wire, false),
            // What stands in speaks in clear.
            Some(simulator) => (simulator.wire(Arc::new(Net::new(Settings::default())?)), true),
            None => (Arc::new(Net::new(settings(&given)?)?), true),
        };
        let clock = {
            let wire = Arc::clone(&wire);
            Arc::new(move || moment(now_of(&*wire)))
        };
        let sign_in = auth::SignIn::open(Arc::clone(&given), Arc::clone(&wire), clock)?;
        let sign_in = sign_in.map(|sign_in| -> Arc<dyn SignIn> { Arc::new(sign_in) });
        Ok(Self { shared, sign_in, ..Self::new(given, wire) })
    }

    /// Ends what is not kept for others: a session that was begun for these calls.
    pub async fn close(&self) {
        if let Some(sign_in) = &self.sign_in {
            sign_in.close().await;
        }
    }

    /// Over this wire, with budgets of its own.
    pub fn new(given: Arc<Given>, wire: Arc<dyn Wire>) -> Self {
        Self { given, wire, sign_in: None, hook: None, shared: false, ready: Arc::default(), warnings: Arc::default() }
    }

    /// With this sign-in.
    #[must_use]
    pub fn signed_in(mut self, sign_in: Arc<dyn SignIn>) -> Self {
        self.sign_in = Some(sign_in);
        self
    }

    /// Tells of each request that was sent.
    #[must_use]
    pub fn on_call(mut self, hook: Hook) -> Self {
        self.hook = Some(hook);
        self
    }

    /// What `auth` stands for in templates: nothing without a sign-in.
    ///
    /// # Errors
    /// If nobody can be signed in.
    pub async fn auth(&self) -> Result<Json> {
        match &self.sign_in {
            Some(sign_in) => sign_in.auth().await,
            None => Ok(Json::Null),
        }
    }

    /// What carries its requests.
    pub fn wire(&self) -> &Arc<dyn Wire> {
        &self.wire
    }

    /// What was noticed and is no fault: each is told once.
    pub fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The draft of a request of the pack, behind its base and with its headers.
    ///
    /// # Errors
    /// If a template has no value.
    pub fn draft(&self, spec: &'static RequestSpec, scope: &Scope<'_>) -> Result<Draft> {
        let transport = &self.given.pack.transport;
        let base = transport.base.as_ref().map(|base| base.text(scope)).transpose()?.unwrap_or_default();
        let mut headers = Vec::new();
        let made = transport.headers.as_ref().map(|tree| tree.json(scope)).transpose()?.flatten();
        for (name, value) in made.iter().filter_map(Json::as_object).flatten() {
            match value {
                Json::Null => {}
                Json::String(text) => headers.push((name.clone(), text.clone())),
                other => headers.push((name.clone(), other.to_string())),
            }
        }
        spec.draft(scope, &base, &headers)
    }

    /// Makes one call: good answers come back, and those that the faults of the pack take for `empty`, with
    /// status 204 and without a body. Everything else is a failure with its class.
    ///
    /// # Errors
    /// [`Failure`], after retries.
    pub async fn call(&self, draft: Draft) -> Result<Answer, Box<Failure>> {
        match self.made(draft, false).await? {
            Got::Answer(answer) => Ok(answer),
            Got::Flow(_) => Err(failed(Error::bug("a whole answer came in pieces"))),
        }
    }

    /// The same for an answer that is read piece by piece: a file, a part of an export. Only the head of a
    /// good one is looked at.
    ///
    /// # Errors
    /// As for [`Caller::call`].
    pub async fn fetch(&self, draft: Draft) -> Result<Flow, Box<Failure>> {
        match self.made(draft, true).await? {
            Got::Flow(flow) => Ok(flow),
            Got::Answer(answer) => Ok(Flow::whole(answer)),
        }
    }

    #[expect(clippy::too_many_lines, reason = "the layers in their order, on one screen after another")]
    async fn made(&self, mut draft: Draft, flow: bool) -> Result<Got, Box<Failure>> {
        let ready = self.ready().map_err(failed)?;
        let pack = self.given.pack;
        let wire = &*self.wire;
        let retry = &pack.retry;
        let tries_at_most = match self.given.connector.retry_tries {
            0 => retry.tries,
            said => said,
        };
        let purpose = draft.purpose.clone();
        let bucket = purpose.limit.as_deref();
        let patience_ends = now_of(wire).saturating_add(nanos(retry.patience));
        let (mut tries, mut hops, mut renewed, mut doubt, mut throttled) = (0_u32, 0_u32, false, false, 0_u32);
        let mut waited = None;
        ready.gate.patience.call();
        loop {
            loop {
                match ready.gate.patience.leave(retry, now_of(wire), waited) {
                    Leave::Go => break,
                    Leave::Wait(until, number) => {
                        waited = Some(number);
                        self.wait_until(until).await;
                    }
                    Leave::No(until) => {
                        let cause =
                            "the system gave no good answer to many calls in a row, and is left alone for a while";
                        let error = Error::new(Kind::Environment, &CALL_UNANSWERED, cause);
                        let error = later(error, until, now_of(wire)).doing(purpose.what.clone());
                        return Err(Box::new(Failure { class: Class::Retry, error, answer: None, doubt }));
                    }
                }
            }
            let (mut request, number) = self.prepared(ready, &mut draft).await.map_err(failed)?;
            let left = Duration::from_nanos(u64::try_from(patience_ends - now_of(wire)).unwrap_or(0));
            let asked = now_of(wire);
            let pass = match ready.gate.enter(bucket, purpose.cost, left, wire).await.map_err(failed)? {
                Ok(pass) => pass,
                Err(at) => return Err(self.spent(&purpose.what, at, None, doubt)),
            };
            // What a limit of calls holds back. Less than a millisecond is the work of asking for it.
            let held = Duration::from_nanos(u64::try_from(now_of(wire) - asked).unwrap_or(0));
            if held >= Duration::from_millis(1) {
                self.given.connector.meter.waited(held);
            }
            if let (Some(_), Some(sign_in)) = (number, &self.sign_in) {
                sign_in.sign(&mut request).map_err(failed)?;
            }
            tries += 1;
            // Requests are cheap to copy: their bodies are shared.
            let outcome = match flow {
                false => wire.send(request.clone()).await.map(Got::Answer),
                true => self.opened(request.clone()).await,
            };
            let outcome = match outcome {
                Ok(Got::Answer(answer)) => events::listed(answer).map(Got::Answer),
                other => other,
            };
            drop(pass);
            let now = now_of(wire);
            let answer = match outcome {
                Ok(Got::Flow(flow)) => {
                    self.told(&purpose.what, &request, Some(flow.head.status), Class::Good, flow.head.waited, tries);
                    ready.gate.patience.well();
                    let head = Answer {
                        status: flow.head.status,
                        headers: flow.head.headers.clone(),
                        body: bytes::Bytes::new(),
                        took: flow.head.waited,
                    };
                    self.counted(ready, bucket, purpose.cost, &mut Seen::new(&head), now);
                    self.echoed(ready, &head);
                    return Ok(Got::Flow(flow));
                }
                Ok(Got::Answer(answer)) => answer,
                Err(unanswered) => {
                    self.told(&purpose.what, &request, None, Class::Retry, Duration::ZERO, tries);
                    doubt |= purpose.writes && unanswered.sent;
                    if unanswered.temporary {
                        ready.gate.patience.ill(retry, now);
                    }
                    let safe = !unanswered.sent || !purpose.writes || purpose.repeatable;
                    if unanswered.temporary && safe && tries < tries_at_most && ready.gate.patience.again(retry) {
                        self.pause(retry::pause(retry, tries, retry::chance())).await;
                        continue;
                    }
                    return Err(self.unanswered(&purpose.what, &request, &unanswered, doubt));
                }
            };
            let mut seen = Seen::new(&answer);
            self.counted(ready, bucket, purpose.cost, &mut seen, now);
            let verdict = verdict::of(&self.given, &purpose, &mut seen, now);
            drop(seen);
            self.told(&purpose.what, &request, Some(answer.status), verdict.class, answer.took, tries);
            match answer.status {
                500..=599 => ready.gate.patience.ill(retry, now),
                _ => ready.gate.patience.well(),
            }
            if let Some(to) = redirect(&answer, &request, pack.transport.follow, &verdict) {
                hops += 1;
                if hops <= HOPS {
                    draft.url = Some(to.into());
                    draft.query.clear();
                    tries -= 1;
                    continue;
                }
            }
            match verdict.class {
                Class::Good => {
                    self.echoed(ready, &answer);
                    return Ok(Got::Answer(answer));
                }
                Class::Empty => return Ok(Got::Answer(Answer { status: 204, body: bytes::Bytes::new(), ..answer })),
                Class::SignIn if !renewed && number.is_some() => {
                    renewed = true;
                    if let (Some(number), Some(sign_in)) = (number, &self.sign_in)
                        && sign_in.renew(number).await.map_err(failed)?
                    {
                        tries -= 1;
                        continue;
                    }
                }
                Class::Wait => {
                    throttled += 1;
                    let own = retry::pause(retry, throttled, retry::chance());
                    let at = now.saturating_add(nanos(verdict.wait.unwrap_or(own)));
                    ready.gate.pause(bucket, at);
                    if at > patience_ends {
                        return Err(self.spent(&purpose.what, at, Some((answer, &request, verdict)), doubt));
                    }
                    // Nobody knows when: then it is tried as often as anything else.
                    if verdict.wait.is_some() || (tries < tries_at_most && ready.gate.patience.again(retry)) {
                        self.wait_until(at).await;
                        continue;
                    }
                }
                Class::Quota => {
                    let at = now.saturating_add(nanos(verdict.wait.unwrap_or(Duration::ZERO)));
                    if verdict.wait.is_some() {
                        ready.gate.pause(bucket, at);
                    }
                    return Err(self.spent(&purpose.what, at, Some((answer, &request, verdict)), doubt));
                }
                Class::Retry => {
                    doubt |= purpose.writes;
                    let safe = !purpose.writes || purpose.repeatable;
                    let pause = retry::pause(retry, tries, retry::chance()).max(verdict.wait.unwrap_or_default());
                    let at = now.saturating_add(nanos(pause));
                    if safe && at > patience_ends {
                        return Err(self.spent(&purpose.what, at, Some((answer, &request, verdict)), doubt));
                    }
                    if safe && tries < tries_at_most && ready.gate.patience.again(retry) {
                        self.wait_until(at).await;
                        continue;
                    }
                }
                _ => {}
            }
            doubt |= purpose.writes && answer.status >= 500;
            return Err(self.failure(&purpose.what, answer, &request, verdict, doubt));
        }
    }

    /// The request of a draft with the sign-in in it, if its host may see that; the number of the sign-in.
    async fn prepared(&self, ready: &Ready, draft: &mut Draft) -> Result<(Request, Option<u64>)> {
        let trust = match &ready.base {
            // The common case: no address has to be taken apart twice. It is judged below.
            Some(base) if draft.url.is_none() && draft.base == *base => Trust::Own,
            _ => ready.hosts.judge(&draft.address()?)?,
        };
        let mut number = None;
        match trust {
            Trust::Own => {
                if let Some(sign_in) = self.sign_in.as_ref().filter(|_| !draft.purpose.bare) {
                    number = Some(sign_in.prepare(draft).await?);
                }
            }
            Trust::Foreign => {
                draft.cookies.clear();
                draft.headers.retain(|(name, _)| {
                    let credentials = ["authorization", "cookie", "proxy-authorization"];
                    let own = ready.own_headers.iter().map(String::as_str).chain(credentials);
                    own.into_iter().all(|known| !known.eq_ignore_ascii_case(name))
                });
            }
        }
        let request = draft.request()?;
        if trust == Trust::Foreign && self.holds_secret(&request) {
            let cause = format!("a request to `{}` would hold a secret", request.url.host_str().unwrap_or_default());
            return Err(Error::new(Kind::Refused, &HOST_NOT_ALLOWED, cause)
                .hint("list the host under `transport.hosts` if it belongs to the system"));
        }
        // The sign-in may change much, but not where the request goes.
        match ready.hosts.judge(&request.url)? {
            now if now == trust => Ok((request, number)),
            _ => Err(Error::bug("the sign-in led a request to another host")),
        }
    }

    fn holds_secret(&self, request: &Request) -> bool {
        let needs = self.given.pack.auth.needs.iter().filter(|need| need.secret);
        let secrets = needs.filter_map(|need| self.given.secrets().get(&need.name)?.as_str());
        secrets.filter(|secret| secret.len() >= SECRET).any(|secret| {
            let within = |bytes: &[u8]| memchr::memmem::find(bytes, secret.as_bytes()).is_some();
            let mut query = request.url.query_pairs();
            within(request.url.as_str().as_bytes())
                || query.any(|(_, value)| within(value.as_bytes()))
                || request.headers.values().any(|value| within(value.as_bytes()))
                || within(&request.body)
        })
    }

    /// An answer that is small is seen as a whole, as rules may look into it; of a large one that is good
    /// the head tells enough.
    async fn opened(&self, request: Request) -> Result<Got, Unanswered> {
        let mut flow = self.wire.open(request).await?;
        let good = (200..300).contains(&flow.head.status);
        let most = if good { PEEKED } else { LOOKED };
        let (mut front, mut size) = (std::collections::VecDeque::new(), 0);
        while size < most {
            match flow.next().await? {
                Some(piece) => {
                    size += piece.len();
                    front.push_back(piece);
                }
                None => break,
            }
        }
        if good && size >= most {
            return Ok(Got::Flow(flow.behind(front)));
        }
        let body = match front.len() {
            0 | 1 => front.pop_front().unwrap_or_default(),
            _ => front.iter().flatten().copied().collect(),
        };
        let head = flow.head;
        Ok(Got::Answer(Answer { status: head.status, headers: head.headers, body, took: head.waited }))
    }

    async fn wait_until(&self, at: i64) {
        let left = at.saturating_sub(now_of(&*self.wire));
        if let Ok(left) = u64::try_from(left)
            && left > 0
        {
            self.pause(Duration::from_nanos(left)).await;
        }
    }

    /// Waits, and counts it.
    async fn pause(&self, time: Duration) {
        self.given.connector.meter.waited(time);
        self.wire.pause(time).await;
    }

    /// Makes good what the call cost, and hears what is left.
    fn counted(&self, ready: &Ready, bucket: Option<&str>, cost: u32, seen: &mut Seen<'_>, now: i64) {
        let limits = &self.given.pack.limits;
        let named = bucket.and_then(|name| Some((Some(name), limits.bucket(name)?, cost.max(1))));
        for (name, of, taken) in std::iter::once((None, &limits.general, 1)).chain(named) {
            let Some(meter) = ready.gate.meter(name) else { continue };
            let heard = verdict::heard(&self.given, &of.told, seen, now);
            if let Some(cost) = heard.cost {
                meter.settle(taken, cost);
            }
            let usual = if name.is_none() { waits::quota(&seen.answer.headers, now) } else { None };
            if let Some(quota) = heard.quota.or(usual) {
                meter.tell(now, quota, heard.restore);
            }
        }
    }

    fn told(&self, what: &str, request: &Request, status: Option<u16>, class: Class, took: Duration, tries: u32) {
        self.given.connector.meter.count(|calls| {
            calls.calls += 1;
            calls.retries += u64::from(tries > 1);
            calls.throttled += u64::from(matches!(class, Class::Wait | Class::Quota));
            calls.failed += u64::from(!matches!(class, Class::Good | Class::Empty));
            if status.is_some() {
                calls.took(took);
            }
        });
        if let Some(hook) = &self.hook {
            hook(&Call { what, place: told::place(request), status, class, took, tries });
        }
    }

    /// Whether the version that was asked for answered, and goes on to.
    fn echoed(&self, ready: &Ready, answer: &Answer) {
        // RFC 8594 and RFC 9745.
        for (header, what) in [("sunset", "ends"), ("deprecation", "is deprecated")] {
            if let Some(when) = answer.header(header) {
                let plain = |c: &char| c.is_ascii_alphanumeric() || " ,:@+-".contains(*c);
                let when: String = when.chars().filter(plain).take(40).collect();
                self.warn(format!("the system says that this version of its API {what}: {when} (`{header}`)"));
            }
        }
        let Some((header, expected)) = &ready.echo else { return };
        let Some(found) = answer.header(header).filter(|found| found != expected) else { return };
        self.warn(format!("the system answers with version {found}, and was asked for {expected} (`{header}`)"));
    }

    /// Tells something once.
    fn warn(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    fn ready(&self) -> Result<&Ready> {
        self.ready.get_or_init(|| self.worked_out()).as_ref().map_err(Clone::clone)
    }

    fn worked_out(&self) -> Result<Ready> {
        let arena = Arena::new();
        let given = &*self.given;
        let scope = given.scope(&arena, moment(now_of(&*self.wire)));
        let transport = &given.pack.transport;
        // A base that needs what an answer said (`auth`, `found`) is nobody's own: its host has to be listed.
        let base = transport.base.as_ref().and_then(|base| base.text(&scope).ok());
        let hosts =
            Hosts::new(base.as_deref(), &texts(&transport.hosts, &scope)?, &texts(&transport.foreign_hosts, &scope)?)?;
        let limits = &given.pack.limits;
        let account = match &limits.account {
            Some(account) => format!("{}\u{0}{}", given.pack.name, account.text(&scope)?),
            None => given.connector.name.clone(),
        };
        let rate = given.connector.rate;
        let gate = match self.shared {
            true => Gate::of(&account, limits, rate, given.connector.state.clone())?,
            false => Arc::new(Gate::new(&account, limits, None, None)?),
        };
        let own_headers = match &transport.headers {
            Some(Tree::Map(entries)) => entries.iter().map(|(name, _)| name.clone()).collect(),
            Some(Tree::Fixed(Json::Object(entries))) => entries.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let echo = transport.echo.as_ref();
        let echo = echo.map(|(header, expect)| Ok::<_, Error>((header.clone(), expect.text(&scope)?))).transpose()?;
        let base = base.map(|base| base.trim_end_matches('/').to_owned());
        Ok(Ready { base, hosts, gate, own_headers, echo })
    }
}

/// Where an answer leads on, if it is followed: only calls that read are, and not what the pack has a rule for.
fn redirect(answer: &Answer, request: &Request, follow: bool, verdict: &Verdict) -> Option<Url> {
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    if !follow || !reads || verdict.ruled || !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    request.url.join(answer.header("location")?).ok()
}

/// A moment of a wire's time.
pub fn moment(nanos: i64) -> Timestamp {
    let part = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
    Timestamp { seconds: nanos.div_euclid(1_000_000_000), nanos: part, offset: 0 }
}

/// Whether a warning of a run says that the version of an API that is called will not do for long.
pub fn is_of_version(warning: &str) -> bool {
    ["the system answers with version ", "the system says that this version of its API "]
        .iter()
        .any(|known| warning.contains(known))
}

#[cfg(test)]
#[path = "caller_tests.rs"]
pub(crate) mod tests;
