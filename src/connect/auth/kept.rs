//! What was obtained, as it is kept for all runs of a project.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use zeroize::Zeroizing;

use super::desk::{Desk, plain};
use crate::connect::pack::Template;
use crate::connect::pack::auth::Kind;
use crate::error::codes::connect::SIGN_IN_UNANSWERED;
use crate::error::{Error, Kind as Trouble, Result, Retry};
use crate::store::tokens::{self, KeptTokens, Tokens, TokensHeld};

/// How long a process waits for another one that is signing in.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(25);

/// What is kept of one account.
pub(super) struct Kept {
    tokens: Tokens,
    connector: String,
}

/// What was found.
pub(super) struct Found {
    pub number: u64,
    pub auth: Map<String, Json>,
    pub obtained: i64,
    pub ends: Option<i64>,
}

#[derive(Default, Serialize, Deserialize)]
struct Text {
    auth: Map<String, Json>,
    obtained: i64,
    ends: Option<i64>,
}

impl Kept {
    /// Of the account that this connector signs in to.
    ///
    /// # Errors
    /// If the state folder cannot be used, or a template has no value.
    pub fn open(state: &Path, desk: &Desk) -> Result<Self> {
        let connector = desk.given.connector.name.clone();
        let now = desk.now();
        let now_ns = now.seconds.saturating_mul(1_000_000_000);
        let tokens = Tokens::open(state, &connector, &identity(desk)?, now_ns)?;
        Ok(Self { tokens, connector })
    }

    /// What is kept now.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn load(&self) -> Result<Option<Found>> {
        Ok(self.tokens.load()?.map(found))
    }

    /// The account's lock; waits for another process that signs in.
    ///
    /// # Errors
    /// If that takes too long.
    pub async fn lock(&self) -> Result<TokensHeld> {
        let mut left = PATIENCE;
        loop {
            if let Some(held) = self.tokens.try_lock()? {
                return Ok(held);
            }
            left = left.checked_sub(LOOK).ok_or_else(|| {
                let cause = format!("another process has been signing in to `{}` for too long", self.connector);
                Error::new(Trouble::Environment, &SIGN_IN_UNANSWERED, cause).retry(Retry::Later)
            })?;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Keeps it in the place of `number`; what is then kept.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(
        &self,
        held: &TokensHeld,
        number: u64,
        auth: &Map<String, Json>,
        obtained: i64,
        ends: Option<i64>,
    ) -> Result<Found> {
        let text = Text { auth: auth.clone(), obtained, ends };
        let bytes = Zeroizing::new(serde_json::to_vec(&text).map_err(|e| Error::bug(e.to_string()))?);
        let number = self.tokens.swap(held, number, &bytes)?;
        Ok(Found { number, auth: text.auth, obtained, ends })
    }

    /// Forgets it.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn forget(&self, held: &TokensHeld) -> Result<()> {
        self.tokens.forget(held)
    }
}

/// What is known of a connector's sign-in without asking: when it was obtained and when it ends, seconds
/// since 1970, and whether there is a refresh token. `None`: nothing is kept.
///
/// # Errors
/// If the state folder cannot be read.
pub fn known(state: &Path, connector: &str) -> Result<Option<(i64, Option<i64>, bool)>> {
    let all = tokens::of_connector(state, connector)?;
    let latest = all.into_iter().map(found).find(|found| !found.auth.is_empty());
    Ok(latest.map(|found| (found.obtained, found.ends, found.auth.contains_key("refresh_token"))))
}

fn found(kept: KeptTokens) -> Found {
    let text: Text = kept.text.as_ref().and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
    Found { number: kept.number, auth: text.auth, obtained: text.obtained, ends: text.ends }
}

/// What tells accounts of one connector apart: who signs in where and for what. Secrets count only where no
/// person's sign-in would be lost with them.
fn identity(desk: &Desk) -> Result<Vec<u8>> {
    let way = desk.way;
    let nothing = Map::new();
    // What sees something that is yet to be found out tells nothing apart.
    let told = |template| desk.maybe(template, &nothing).ok().flatten().unwrap_or_default();
    let mut parts = vec![desk.given.pack.name.clone(), way.name.clone()];
    parts.push(told(desk.given.pack.transport.base.as_ref()));
    if let Kind::OAuth2(oauth) = &way.kind {
        let user = oauth.user.as_ref().map(|(user, _)| user);
        let each: [Option<&'static Template>; 5] = [
            Some(&oauth.token_url),
            oauth.client_id.as_ref(),
            oauth.scope.as_ref(),
            oauth.refresh_token.as_ref(),
            user,
        ];
        for template in each {
            parts.push(told(template));
        }
    }
    if !way.asks_a_person() {
        let secrets = desk.given.secrets().as_object();
        for (name, value) in secrets.into_iter().flatten() {
            parts.push(format!("{name}={}", plain(value).unwrap_or_default()));
        }
        let params = desk.given.params().as_object();
        for (name, value) in params.into_iter().flatten().filter(|_| !matches!(way.kind, Kind::OAuth2(_))) {
            parts.push(format!("{name}={}", plain(value).unwrap_or_default()));
        }
    }
    Ok(parts.join("\u{1f}").into_bytes())
}
