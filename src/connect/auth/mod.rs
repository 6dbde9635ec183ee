//! Signing in: does what a pack says under `auth` (see [`crate::connect::pack::auth`]) for one connector.
//!
//! Who calls an API does it in this order, and knows nothing of kinds:
//! 1. [`SignIn::ready`] before a request is made from its templates: something valid is at hand then, and
//!    [`Live::auth`] is what `auth` stands for in templates (an address may begin with `auth.instance_url`).
//! 2. [`SignIn::prepare`] on the draft: values go where the pack says. Calls with `purpose.bare`, and calls to
//!    an origin that is none of the connector's own, are left alone by whoever calls.
//! 3. [`SignIn::sign`] on the finished request, after everything else was put into it: signatures over bytes.
//!    A request that is sent again is signed again.
//! 4. If the answer means that the sign-in is no longer valid: [`SignIn::renew`] with the number that
//!    `prepare` gave, and the call once more, if it says that there is something new to try with.
//! 5. [`SignIn::close`] at the end: a session that is not kept is ended.
//!
//! What was obtained is kept in the state folder ([`crate::store::tokens`]), encrypted, and written before it
//! is first used: a server that forgets the old refresh token when the new one is used then never leaves us
//! without one, wherever we are killed. One process obtains at a time; the others find what it wrote.

mod answer;
mod basic;
mod bearer;
mod desk;
mod hmac;
pub mod jwk;
mod jwt;
mod kept;
mod key;
pub use desk::fresh;
pub use hmac::{shared_signature, shared_signature_is};
pub use kept::known;
#[cfg(test)]
mod kill_tests;
pub mod login;
mod none;
mod oauth1;
mod oauth2;
mod session;
mod sigv4;
mod steps;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value as Json};

use crate::connect::pack::auth::{Renew, Way};
use crate::connect::pack::{Given, Name};
use crate::connect::web::{Draft, Request, Wire};
use crate::error::codes::connect::{PACK_INVALID, SIGN_IN_INCOMPLETE};
use crate::error::{Error, Kind, Result};
use crate::record::Timestamp;
use crate::store::failpoint;

use desk::Desk;
use kept::Kept;

/// The time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What comes later.
type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind of sign-in. Each answers the same questions.
trait SignInKind: Sync {
    /// Its word in packs.
    fn word(&self) -> &'static str;

    /// What `auth` holds without asking anybody.
    ///
    /// # Errors
    /// If a template has no value.
    fn known(&self, _desk: &Desk) -> Result<Map<String, Json>> {
        Ok(Map::new())
    }

    /// What `auth` holds more after asking; `known`: what it holds by now, `old`: what was obtained before and
    /// is no longer good.
    fn obtain<'a>(
        &'a self,
        _desk: &'a Desk,
        _known: &'a Map<String, Json>,
        _old: &'a Map<String, Json>,
    ) -> Later<'a, Result<Map<String, Json>>> {
        Box::pin(async { Ok(Map::new()) })
    }

    /// Signs a finished request; what `auth` holds more for what is sent.
    ///
    /// # Errors
    /// If it cannot be signed.
    fn sign(
        &self,
        _desk: &Desk,
        _auth: &Map<String, Json>,
        _request: &mut Request,
        _fresh: &Json,
    ) -> Result<Option<Map<String, Json>>> {
        Ok(None)
    }
}

/// Every kind. One line each, in the order of the vocabulary.
static KINDS: &[&dyn SignInKind] = &[
    &none::None,
    &key::Key,
    &basic::Basic,
    &bearer::Bearer,
    &oauth2::OAuth2,
    &jwt::Jwt,
    &session::Session,
    &sigv4::SigV4,
    &hmac::Hmac,
    &oauth1::OAuth1,
];

/// What is signed in with at a moment.
pub struct Live {
    /// Which one it is, counted up; 0: nothing was obtained, and nothing needs to be.
    pub number: u64,
    /// What `auth` stands for in templates.
    pub auth: Map<String, Json>,
    /// When it was obtained, seconds since 1970.
    pub obtained: i64,
    /// When it ends, seconds since 1970.
    pub ends: Option<i64>,
    /// The values of `send`, where they are the same for each call.
    sends: Vec<Option<Json>>,
    usable: bool,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sign-in {}", self.number)
    }
}

/// Signs in for one connector, for as long as it is open. Shared by all calls.
pub struct SignIn {
    desk: Desk,
    kind: &'static dyn SignInKind,
    kept: Option<Kept>,
    live: RwLock<Arc<Live>>,
    turn: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sign-in of {:?}", self.desk.given)
    }
}

/// A client certificate, and who is shown it.
pub struct Identity {
    /// Hosts; empty: all.
    pub hosts: Vec<String>,
    /// The certificate with its chain, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub key: zeroize::Zeroizing<String>,
}

/// The way that a connector signs in by; `None`: its pack has none.
///
/// # Errors
/// If it names one that is not there, or lacks something that the way needs.
pub fn way(given: &Given) -> Result<Option<&'static Way>> {
    let auth = &given.pack.auth;
    let filled =
        |name: &str| given.secrets().get(name).is_some_and(|value| !matches!(value, Json::Null) && value != "");
    let said = given.secrets().get(crate::connect::pack::auth::WAY).and_then(Json::as_str);
    let way = match said {
        Some(name) => auth.way(name).ok_or_else(|| {
            let cause = format!("the pack `{}` has no way of signing in named `{name}`", given.pack.name);
            Error::new(Kind::Invalid, &PACK_INVALID, cause)
        })?,
        // The usual one, unless everything is given for another and not for it.
        None => {
            let given = |way: &&Way| way.needs.iter().all(|name| filled(name));
            let usual = auth.ways.first();
            match usual
                .filter(given)
                .or_else(|| auth.ways.iter().find(|way| !way.needs.is_empty() && given(way)))
                .or(usual)
            {
                Some(way) => way,
                None => return Ok(None),
            }
        }
    };
    let missing: Vec<&str> = way.needs.iter().map(String::as_str).filter(|name| !filled(name)).collect();
    if missing.is_empty() {
        return Ok(Some(way));
    }
    let connector = &given.connector;
    let cause = format!(
        "the connector `{}` does not say `{}` under `auth`, which the way `{}` of signing in needs",
        connector.name,
        missing.join("`, `"),
        way.name
    );
    let mut error = Error::new(Kind::Invalid, &SIGN_IN_INCOMPLETE, cause).at(connector.place.clone());
    if auth.ways.len() > 1 {
        let others: Vec<&str> = auth.ways.iter().map(|way| way.name.as_str()).collect();
        error = error.hint(format!("add it, or choose another way with `auth: {{ way: … }}`: {}", others.join(", ")));
    }
    Err(error)
}

/// The client certificate of a connector. Asked for before there is a wire.
///
/// # Errors
/// As for [`way`], or if a template has no value.
pub fn identity(given: &Arc<Given>, clock: &Clock) -> Result<Option<Identity>> {
    let Some(way) = way(given)? else { return Ok(None) };
    let (Some(certificate), Some(key)) = (&way.certificate, &way.certificate_key) else { return Ok(None) };
    let arena = crate::record::Arena::new();
    let scope = given.scope(&arena, clock());
    let hosts = way.certificate_hosts.iter().map(|host| host.text(&scope)).collect::<Result<_>>()?;
    let (certificate, key) = (certificate.text(&scope)?, zeroize::Zeroizing::new(key.text(&scope)?));
    // A connector that gives none does not want one.
    Ok((!certificate.trim().is_empty()).then_some(Identity { hosts, certificate, key }))
}

/// The private key that a connector signs tokens with; `None`: its way has none.
///
/// # Errors
/// As for [`way`], or if a template has no value.
pub fn signing_key(given: &Arc<Given>, clock: &Clock) -> Result<Option<zeroize::Zeroizing<String>>> {
    use crate::connect::pack::auth::Kind as Of;
    let Some(way) = way(given)? else { return Ok(None) };
    let assertion = match &way.kind {
        Of::Jwt(assertion) => Some(&**assertion),
        Of::OAuth2(oauth) => oauth.assertion.as_ref(),
        _ => None,
    };
    let Some(assertion) = assertion else { return Ok(None) };
    let arena = crate::record::Arena::new();
    assertion.key.text(&given.scope(&arena, clock())).map(|text| Some(zeroize::Zeroizing::new(text)))
}

/// The system's clock.
pub fn system_clock() -> Clock {
    let clock = crate::store::system_clock();
    Arc::new(move || {
        let now = clock();
        let nanos = u32::try_from(now.rem_euclid(1_000_000_000)).unwrap_or_default();
        Timestamp { seconds: now.div_euclid(1_000_000_000), nanos, offset: 0 }
    })
}

impl SignIn {
    /// For a connector, over this wire; nothing is asked yet. `None`: its pack has no sign-in.
    ///
    /// # Errors
    /// If the connector lacks something, or what is kept in the state folder cannot be reached.
    pub fn open(given: Arc<Given>, wire: Arc<dyn Wire>, clock: Clock) -> Result<Option<Self>> {
        let Some(way) = way(&given)? else { return Ok(None) };
        let word = way.kind.word();
        let kind = *KINDS
            .iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| Error::bug(format!("no kind `{word}` of signing in")))?;
        let folder = given.connector.state.clone();
        let desk = Desk { given, way, wire, clock };
        let kept = match folder {
            Some(folder) if way.kept && way.obtains() && way.renew != Renew::EachCall => {
                Some(Kept::open(&folder, &desk)?)
            }
            _ => None,
        };
        let nothing = Live { number: 0, auth: Map::new(), obtained: 0, ends: None, sends: Vec::new(), usable: false };
        let turn = tokio::sync::Mutex::new(());
        Ok(Some(Self { desk, kind, kept, live: RwLock::new(Arc::new(nothing)), turn }))
    }

    /// What is signed in with, valid as far as is known; obtained now if need be.
    ///
    /// # Errors
    /// [`Kind::Denied`] if nobody is let in, [`Kind::Environment`] if the other side cannot be asked now.
    pub async fn ready(&self) -> Result<Arc<Live>> {
        let live = self.current();
        if self.good(&live, None) {
            return Ok(live);
        }
        self.anew(None).await
    }

    /// What is known now, without asking: what `auth` stands for.
    pub fn current(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts what is sent into a draft; the number of the sign-in that was used.
    ///
    /// # Errors
    /// As for [`Self::ready`], or if a value has no place in the draft.
    pub async fn prepare(&self, draft: &mut Draft) -> Result<u64> {
        let live = self.ready().await?;
        if !crate::connect::pack::auth::keys::signs(self.kind.word()) {
            self.desk.put(&live.auth, &live.sends, draft)?;
        }
        if let Some(Json::Object(cookies)) = live.auth.get(steps::COOKIES) {
            for (name, value) in cookies {
                // A draft that is sent again holds those of the session that has ended.
                draft.cookies.retain(|(known, _)| known != name);
                draft.cookies.push((name.clone(), value.as_str().unwrap_or_default().to_owned()));
            }
        }
        Ok(live.number)
    }

    /// Signs a finished request; without effect for kinds that do not sign.
    ///
    /// # Errors
    /// If a template has no value, or a key is none.
    pub fn sign(&self, request: &mut Request) -> Result<()> {
        let live = self.current();
        self.desk.sign(self.kind, &live.auth, request)
    }

    /// After a call that used sign-in `number` was refused for it: obtains another, unless somebody did
    /// meanwhile. `false`: there is nothing new to try with.
    ///
    /// # Errors
    /// As for [`Self::ready`].
    pub async fn renew(&self, number: u64) -> Result<bool> {
        if !self.desk.way.obtains() {
            return Ok(false);
        }
        let live = self.current();
        if live.number != number && self.good(&live, Some(number)) {
            return Ok(true);
        }
        self.anew(Some(number)).await.map(|live| live.number != number)
    }

    /// Ends a session that is not kept for others. What goes wrong is of no consequence.
    pub async fn close(&self) {
        let live = self.current();
        if self.kept.is_none() && live.number > 0 && self.desk.way.logout.is_some() {
            let _ = steps::logout(&self.desk, self.kind, &live.auth).await;
        }
    }

    /// Ends the sign-in for all: revokes where the pack says how, and forgets what is kept. Whether there was
    /// something.
    ///
    /// # Errors
    /// If the server refuses, after everything was forgotten here.
    pub async fn end(&self) -> Result<bool> {
        let live = match &self.kept {
            Some(kept) => kept.load()?.map(|found| self.made(found)).transpose()?,
            None => None,
        };
        let Some(live) = live else { return Ok(false) };
        let revoked = oauth2::revoke(&self.desk, &live.auth).await;
        let left = match &self.desk.way.logout {
            Some(_) => steps::logout(&self.desk, self.kind, &live.auth).await,
            None => Ok(()),
        };
        if let Some(kept) = &self.kept {
            let held = kept.lock().await?;
            kept.forget(&held)?;
        }
        revoked.and(left).map(|()| true)
    }

    /// Keeps what a person's sign-in gave, before anything uses it.
    ///
    /// # Errors
    /// If there is no state folder, or it cannot be written.
    pub async fn adopt(&self, auth: Map<String, Json>) -> Result<Arc<Live>> {
        let Some(kept) = &self.kept else {
            return Err(Error::bug("a person's sign-in has no state folder to be kept in"));
        };
        let held = kept.lock().await?;
        let found = kept.load()?;
        let number = found.as_ref().map_or(0, |found| found.number);
        let auth = self.stepped(auth).await?;
        let made = kept.keep(&held, number, &auth, self.desk.seconds(), self.ends(&auth))?;
        self.take(self.made(made)?)
    }

    /// Whether it can be used. `refused`: the number that is known to be no good.
    fn good(&self, live: &Live, refused: Option<u64>) -> bool {
        if !live.usable || refused == Some(live.number) {
            return false;
        }
        match (self.desk.way.renew, live.ends) {
            (Renew::EachCall, _) => !self.desk.way.obtains(),
            (Renew::Refused, _) | (_, None) => true,
            (Renew::Early, Some(ends)) => {
                // Of a short life a fifth is early enough, or it would be renewed all the time.
                let early = i64::try_from(self.desk.way.early.as_secs()).unwrap_or(i64::MAX);
                let early = early.min((ends - live.obtained).max(0) / 5);
                self.desk.seconds() < ends - early
            }
        }
    }

    async fn anew(&self, refused: Option<u64>) -> Result<Arc<Live>> {
        let _turn = self.turn.lock().await;
        let live = self.current();
        if self.good(&live, refused) {
            return Ok(live);
        }
        let doing = || format!("signing in to `{}`", self.desk.given.connector.name);
        if !self.desk.way.obtains() {
            let auth = self.kind.known(&self.desk).map_err(|e| e.doing(doing()))?;
            return self.take(self.live_of(0, auth, 0, None)?);
        }
        let Some(kept) = &self.kept else {
            let auth = self.obtained(&live.auth).await.map_err(|e| e.doing(doing()))?;
            let ends = self.ends(&auth);
            return self.take(self.live_of(live.number + 1, auth, self.desk.seconds(), ends)?);
        };
        // Without the lock first: most of the time another process has done it already.
        if let Some(found) = kept.load()? {
            let found = self.made(found)?;
            if self.good(&found, refused) {
                return self.take(found);
            }
        }
        let held = kept.lock().await?;
        failpoint::reach("sign-in-locked");
        let found = kept.load()?;
        let number = found.as_ref().map_or(0, |found| found.number);
        let old = match found {
            Some(found) => {
                let found = self.made(found)?;
                if self.good(&found, refused) {
                    return self.take(found);
                }
                found.auth
            }
            None => Map::new(),
        };
        let auth = self.obtained(&old).await.map_err(|e| e.doing(doing()))?;
        failpoint::reach("sign-in-obtained");
        let made = kept.keep(&held, number, &auth, self.desk.seconds(), self.ends(&auth))?;
        failpoint::reach("sign-in-kept");
        self.take(self.made(made)?)
    }

    /// What the kind obtains, and the steps after it.
    async fn obtained(&self, old: &Map<String, Json>) -> Result<Map<String, Json>> {
        let mut auth = self.kind.known(&self.desk)?;
        for step in self.desk.way.steps.iter().filter(|step| step.before) {
            steps::make(&self.desk, self.kind, step, &mut auth).await?;
        }
        let more = self.kind.obtain(&self.desk, &auth, old).await?;
        auth.extend(more);
        self.stepped(auth).await
    }

    async fn stepped(&self, mut auth: Map<String, Json>) -> Result<Map<String, Json>> {
        for step in self.desk.way.steps.iter().filter(|step| !step.before) {
            steps::make(&self.desk, self.kind, step, &mut auth).await?;
        }
        Ok(auth)
    }

    fn made(&self, found: kept::Found) -> Result<Live> {
        self.live_of(found.number, found.auth, found.obtained, found.ends)
    }

    fn live_of(&self, number: u64, auth: Map<String, Json>, obtained: i64, ends: Option<i64>) -> Result<Live> {
        // What is kept but empty was unreadable: it cannot be used, and its number counts.
        let usable = number == 0 || !auth.is_empty();
        let signs = crate::connect::pack::auth::keys::signs(self.kind.word());
        let mut sends = Vec::new();
        if usable && !signs {
            for send in &self.desk.way.send {
                let value = || self.desk.with(&auth, &[], |scope| send.value.value(scope).map(|v| json(&v)));
                sends.push(if send.fresh { None } else { Some(value()?) });
            }
        }
        Ok(Live { number, auth, obtained, ends, sends, usable })
    }

    fn take(&self, live: Live) -> Result<Arc<Live>> {
        let live = Arc::new(live);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&live);
        Ok(live)
    }

    /// When what was obtained now ends, seconds since 1970.
    fn ends(&self, auth: &Map<String, Json>) -> Option<i64> {
        let now = self.desk.seconds();
        let number = |value: &Json| match value {
            Json::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if let Some(at) = auth.get("expires_at") {
            let said = number(at).map(|at| if at > 100_000_000_000 { at / 1000 } else { at });
            let told = || Timestamp::parse_rfc3339(at.as_str()?).map(|time| time.seconds);
            if let Some(at) = said.or_else(told) {
                return Some(at);
            }
        }
        let life = auth.get("expires_in").and_then(number);
        let life = life.or_else(|| self.desk.way.lifetime.and_then(|life| i64::try_from(life.as_secs()).ok()));
        life.map(|life| now.saturating_add(life))
    }
}

fn json(value: &crate::record::Value<'_>) -> Json {
    crate::connect::pack::template::to_json(value).unwrap_or(Json::Null)
}

/// Names of templates with their values.
type More<'a> = &'a [(Name, &'a Json)];
