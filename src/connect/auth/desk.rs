//! What every kind works with: the connector's values, its way, the wire, the time; templates rendered, and
//! requests of the sign-in itself, which no layer is around.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::{Clock, More, SignInKind, answer};
use crate::connect::pack::auth::{Send, Way};
use crate::connect::pack::{Given, Name, Scope, Template, Tree};
use crate::connect::web::{Answer, Draft, Request, Spot, Wire};
use crate::error::codes::connect::{PACK_INVALID, SIGN_IN_UNANSWERED};
use crate::error::{Error, Kind, Result, Retry};
use crate::record::json::from_json;
use crate::record::{Arena, Timestamp};

/// How often a request of the sign-in is sent at most.
const TRIES: u32 = 3;
/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest wait that a server can ask for between two tries.
const WAIT: Duration = Duration::from_secs(20);

/// What every kind works with.
pub(super) struct Desk {
    pub given: Arc<Given>,
    pub way: &'static Way,
    pub wire: Arc<dyn Wire>,
    pub clock: Clock,
}

impl Desk {
    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Its seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.now().seconds
    }

    /// Calls with what templates see: `auth`, `fresh`, and more.
    ///
    /// # Errors
    /// What the act gives, or no randomness.
    pub fn with<R>(
        &self,
        auth: &Map<String, Json>,
        more: More<'_>,
        act: impl FnOnce(&Scope<'_>) -> Result<R>,
    ) -> Result<R> {
        let arena = Arena::new();
        let auth = Json::Object(auth.clone());
        let mut scope = self.given.scope(&arena, self.now()).with(Name::Auth, from_json(&auth, &arena));
        if !more.iter().any(|(name, _)| *name == Name::Fresh) {
            scope = scope.with(Name::Fresh, from_json(&self.fresh()?, &arena));
        }
        for (name, value) in more {
            scope = scope.with(*name, from_json(value, &arena));
        }
        act(&scope)
    }

    /// What is new for each request.
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn fresh(&self) -> Result<Json> {
        fresh(self.now())
    }

    /// A template as text.
    ///
    /// # Errors
    /// If it has no value.
    pub fn text(&self, template: &'static Template, auth: &Map<String, Json>) -> Result<String> {
        self.with(auth, &[], |scope| template.text(scope))
    }

    /// A template that need not be there; empty text counts as nothing.
    ///
    /// # Errors
    /// If it has no value.
    pub fn maybe(&self, template: Option<&'static Template>, auth: &Map<String, Json>) -> Result<Option<String>> {
        let Some(template) = template else { return Ok(None) };
        Ok(Some(self.text(template, auth)?).filter(|text| !text.is_empty()))
    }

    /// A map of templates that need not be there.
    ///
    /// # Errors
    /// If one of them has no value.
    pub fn map(
        &self,
        tree: Option<&'static Tree>,
        auth: &Map<String, Json>,
        more: More<'_>,
    ) -> Result<Map<String, Json>> {
        let Some(tree) = tree else { return Ok(Map::new()) };
        match self.with(auth, more, |scope| tree.json(scope))? {
            Some(Json::Object(entries)) => Ok(entries),
            None => Ok(Map::new()),
            Some(_) => Err(Error::new(Kind::Invalid, &PACK_INVALID, "a part of `auth` is no map")),
        }
    }

    /// The same as pairs of text, without what is null.
    ///
    /// # Errors
    /// As for [`Self::map`].
    pub fn pairs(&self, tree: Option<&'static Tree>, auth: &Map<String, Json>) -> Result<Vec<(String, String)>> {
        let entries = self.map(tree, auth, &[])?;
        Ok(entries.into_iter().filter_map(|(name, value)| Some((name, plain(&value)?))).collect())
    }

    /// Puts what a call carries into a draft. `sends`: the values that are known already.
    ///
    /// # Errors
    /// If a template has no value, or there is no such place.
    pub fn put(&self, auth: &Map<String, Json>, sends: &[Option<Json>], draft: &mut Draft) -> Result<()> {
        for (at, send) in self.way.send.iter().enumerate() {
            let known = sends.get(at).and_then(Option::as_ref);
            let value = match (known, &send.when) {
                (Some(value), None) => value.clone(),
                _ => {
                    let request = told_draft(draft);
                    let more: More<'_> = &[(Name::Request, &request)];
                    let holds = match &send.when {
                        Some(when) => self.with(auth, more, |scope| when.holds(scope))?,
                        None => true,
                    };
                    if !holds {
                        continue;
                    }
                    match known {
                        Some(value) => value.clone(),
                        None => self.with(auth, more, |scope| send.value.value(scope).map(|v| super::json(&v)))?,
                    }
                }
            };
            draft.put(self.place(send, auth)?.as_ref(), value)?;
        }
        Ok(())
    }

    /// Where a value goes.
    fn place(&self, send: &'static Send, values: &Map<String, Json>) -> Result<Cow<'static, Spot>> {
        match send.name {
            None => Ok(Cow::Borrowed(&send.to)),
            Some(_) => self.with(values, &[], |scope| send.place(scope)).map(Cow::Owned),
        }
    }

    /// Signs a finished request and puts what comes of it where the way says.
    ///
    /// # Errors
    /// If a template has no value, or a key is none.
    pub fn sign(&self, kind: &dyn SignInKind, auth: &Map<String, Json>, request: &mut Request) -> Result<()> {
        if !crate::connect::pack::auth::keys::signs(kind.word()) {
            return Ok(());
        }
        let fresh = self.fresh()?;
        let Some(more) = kind.sign(self, auth, request, &fresh)? else { return Ok(()) };
        let mut auth = auth.clone();
        auth.extend(more);
        let told = answer::told_request(request);
        for send in &self.way.send {
            let more: More<'_> = &[(Name::Fresh, &fresh), (Name::Request, &told)];
            if let Some(when) = &send.when
                && !self.with(&auth, more, |scope| when.holds(scope))?
            {
                continue;
            }
            let value = self.with(&auth, more, |scope| send.value.text(scope))?;
            answer::put(request, self.place(send, &auth)?.as_ref(), &value)?;
        }
        Ok(())
    }

    /// Sends a request of the sign-in. What is temporary is tried again; any answer comes back.
    ///
    /// # Errors
    /// [`Kind::Environment`] if there is none.
    pub async fn send(&self, what: &str, request: Request) -> Result<Answer> {
        let mut request = request;
        request.timeout.get_or_insert(PATIENCE);
        let shown = request.shown();
        for tried in 1..=TRIES {
            let wait = match self.wire.send(request.clone()).await {
                Ok(answer) if matches!(answer.status, 429 | 500 | 502..=504) && tried < TRIES => {
                    let said = answer.header("retry-after").and_then(|text| text.trim().parse().ok());
                    said.map_or(Duration::from_millis(400) * tried, Duration::from_secs).min(WAIT)
                }
                Ok(answer) => return Ok(answer),
                Err(failed) if failed.temporary && tried < TRIES => Duration::from_millis(400) * tried,
                Err(failed) => {
                    let cause = format!("{what}: {shown}: {}", failed.cause);
                    return Err(Error::new(Kind::Environment, &SIGN_IN_UNANSWERED, cause).retry(Retry::Later));
                }
            };
            self.wire.pause(wait).await;
        }
        Err(Error::bug("a request was tried and neither answered nor failed"))
    }

    /// Whether text of another may be shown: nothing of what is signed in with is in it.
    pub fn harmless(&self, text: &str) -> bool {
        let secrets = self.given.secrets().as_object();
        let mut values = secrets.into_iter().flatten().filter_map(|(_, value)| value.as_str());
        text.len() <= 300 && !values.any(|value| value.len() >= 4 && text.contains(value))
    }
}

/// Text for query and form.
pub(super) fn plain(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What `request` stands for while a draft is prepared.
fn told_draft(draft: &Draft) -> Json {
    let address = draft.url.clone().unwrap_or_else(|| format!("{}{}", draft.base, draft.path));
    let url = url::Url::parse(&address).ok();
    json!({
        "method": draft.method.as_str(),
        "host": url.as_ref().and_then(|url| url.host_str()).unwrap_or_default(),
        "path": url.as_ref().map(|url| url.path()).unwrap_or_default(),
        "writes": draft.purpose.writes,
    })
}

impl Spot {
    /// Whether it can still be filled once the request is finished.
    pub(super) fn is_late(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Query(_) | Self::Cookie(_))
    }
}

impl Desk {
    /// Puts what is known by now of what a call carries; what is not known yet is left out.
    ///
    /// # Errors
    /// If there is no such place.
    pub fn put_known(&self, auth: &Map<String, Json>, draft: &mut Draft) -> Result<()> {
        let request = told_draft(draft);
        let more: More<'_> = &[(Name::Request, &request)];
        for send in &self.way.send {
            let holds = match &send.when {
                Some(when) => self.with(auth, more, |scope| when.holds(scope)).unwrap_or(false),
                None => true,
            };
            if !holds {
                continue;
            }
            if let Ok(value) = self.with(auth, more, |scope| send.value.value(scope).map(|v| super::json(&v)))
                && !value.is_null()
            {
                draft.put(self.place(send, auth)?.as_ref(), value)?;
            }
        }
        Ok(())
    }
}

/// What is new for each request that is made at that time: `fresh`.
///
/// # Errors
/// If there is no randomness.
pub fn fresh(now: Timestamp) -> Result<Json> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| Error::bug(format!("no random numbers are to be had: {e}")))?;
    let nonce = data_encoding::HEXLOWER.encode(&bytes);
    // RFC 9562, version 4.
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let uuid = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    let mut text = Vec::new();
    now.write(&mut text);
    let millis = i128::from(now.seconds) * 1000 + i128::from(now.nanos / 1_000_000);
    Ok(json!({
        "uuid": uuid,
        "nonce": nonce,
        "now": String::from_utf8_lossy(&text),
        "unix": now.seconds,
        "unix_ms": i64::try_from(millis).unwrap_or(i64::MAX),
    }))
}
