//! A person signs in once, with a browser on this machine or another. Nothing here asks or prints: the
//! command line shows what [`Browser`] and [`Device`] say and hands back what came of it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as URL;
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use super::{SignIn, oauth2};
use crate::connect::pack::auth::{ClientAuth, Grant};
use crate::error::codes::connect::{SIGN_IN_REFUSED, SIGN_IN_UNANSWERED};
use crate::error::{Error, Kind as Trouble, Result};

/// The longest request line that is read of a browser.
const LINE: usize = 16 << 10;

/// A sign-in with a browser that has begun.
pub struct Browser {
    /// The address to open.
    pub url: String,
    /// Where the browser comes back to.
    pub redirect: String,
    state: String,
    verifier: String,
    listener: Option<tokio::net::TcpListener>,
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a browser that comes back to {}", self.redirect)
    }
}

/// A sign-in on another machine that has begun (RFC 8628).
pub struct Device {
    /// The address to open there.
    pub url: String,
    /// The code to enter there.
    pub code: String,
    /// The address with the code in it, if the server gives one.
    pub complete: Option<String>,
    device_code: String,
    interval: Duration,
    left: Duration,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a device that is shown {}", self.url)
    }
}

impl SignIn {
    /// How a person signs in; `None`: nobody has to.
    pub fn grant(&self) -> Option<Grant> {
        oauth2::spec(&self.desk).ok().map(|oauth| oauth.grant).filter(|grant| grant.asks_a_person())
    }

    /// Begins a sign-in with a browser: listens for it, if it comes back to this machine.
    ///
    /// # Errors
    /// If a template has no value, or the port is taken.
    pub async fn browse(&self) -> Result<Browser> {
        let desk = &self.desk;
        let oauth = oauth2::spec(desk)?;
        let nothing = Map::new();
        let said = desk.maybe(oauth.redirect.as_ref(), &nothing)?;
        let said = said.unwrap_or_else(|| "http://127.0.0.1/callback".into());
        let mut redirect = url::Url::parse(&said).map_err(|_| bad_redirect(&said))?;
        let local =
            matches!(redirect.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) && redirect.scheme() == "http";
        let mut listener = None;
        if local {
            let port = redirect.port().unwrap_or(0);
            let host = if redirect.host_str() == Some("[::1]") { "::1" } else { "127.0.0.1" };
            let made = tokio::net::TcpListener::bind((host, port)).await.map_err(|e| {
                Error::io(format!("listening on port {port}, where the browser comes back to"), e)
                    .hint("end what listens there, or paste the address by hand with `--no-browser`")
            })?;
            let port = made.local_addr().map_err(|e| Error::io("listening for the browser", e))?.port();
            redirect.set_port(Some(port)).map_err(|()| bad_redirect(&said))?;
            listener = Some(made);
        }
        let redirect = redirect.to_string();
        let (state, verifier) = (random()?, random()?);
        let mut url = url::Url::parse(&oauth2::needed(desk, oauth.authorize_url.as_ref(), "authorize_url")?)
            .map_err(|_| bad_redirect("authorize_url"))?;
        let client = oauth2::needed(desk, oauth.client_id.as_ref(), "client_id")?;
        let mut asked = vec![
            ("response_type".to_owned(), "code".to_owned()),
            ("client_id".to_owned(), client.clone()),
            ("redirect_uri".to_owned(), redirect.clone()),
        ];
        if let Some(scope) = desk.maybe(oauth.scope.as_ref(), &nothing)? {
            asked.push(("scope".to_owned(), scope));
        }
        asked.push(("state".to_owned(), state.clone()));
        asked.push(("code_challenge".to_owned(), URL.encode(Sha256::digest(verifier.as_bytes()))));
        asked.push(("code_challenge_method".to_owned(), "S256".to_owned()));
        asked.extend(desk.pairs(oauth.authorize.as_ref(), &nothing)?);
        if let Some(push) = desk.maybe(oauth.push_url.as_ref(), &nothing)? {
            let reference = self.pushed(push, asked).await?;
            asked = vec![("client_id".to_owned(), client), ("request_uri".to_owned(), reference)];
        }
        url.query_pairs_mut().extend_pairs(asked);
        Ok(Browser { url: url.into(), redirect, state, verifier, listener })
    }

    /// Hands over what a person will be asked for; what the browser then carries (RFC 9126).
    async fn pushed(&self, to: String, asked: Vec<(String, String)>) -> Result<String> {
        const WHAT: &str = "handing over what is asked for";
        let desk = &self.desk;
        let mut request = oauth2::request_to(desk, to, asked, &Map::new())?;
        dedupe(&mut request);
        let got = desk.send(WHAT, request).await?;
        if got.status >= 400 {
            return Err(super::answer::refused(desk, WHAT, &got));
        }
        let body: Json = serde_json::from_slice(&got.body).unwrap_or_default();
        let reference = body["request_uri"].as_str().map(str::to_owned);
        reference.ok_or_else(|| {
            let cause = "the server gave no reference to what was handed over (`request_uri`)";
            Error::new(Trouble::Denied, &SIGN_IN_REFUSED, cause)
        })
    }

    /// Waits until the browser comes back, and keeps what it brings.
    ///
    /// # Errors
    /// If it does not within `patience`, or the server refuses.
    pub async fn arrived(&self, browser: &Browser, patience: Duration) -> Result<()> {
        let Some(listener) = &browser.listener else {
            return Err(Error::bug("the browser does not come back to this machine"));
        };
        let wait = async {
            loop {
                let (stream, _) = listener.accept().await.map_err(|e| Error::io("waiting for the browser", e))?;
                // A browser also asks for icons, and opens connections that it does not use; and any page that it
                // shows can call this port: an answer without our state must not end the sign-in.
                if let Some(came) = greeted(stream, browser).await {
                    return Ok(came);
                }
            }
        };
        let came = tokio::time::timeout(patience, wait).await.map_err(|_| {
            Error::new(Trouble::Environment, &SIGN_IN_UNANSWERED, "the browser did not come back in time")
                .hint("run the command again; with `--no-browser` the address can be pasted by hand")
        })??;
        self.returned(browser, &came).await
    }

    /// Takes the address that a browser came back to, as somebody pasted it, and keeps what it brings.
    ///
    /// # Errors
    /// If it is not the answer to this sign-in, or the server refuses.
    pub async fn returned(&self, browser: &Browser, address: &str) -> Result<()> {
        let desk = &self.desk;
        let refused = |cause: String| Error::new(Trouble::Denied, &SIGN_IN_REFUSED, cause);
        let url = url::Url::parse(address.trim()).map_err(|_| {
            refused("what was pasted is no address".into()).hint("paste the whole address, from `http` on")
        })?;
        let found: Map<String, Json> =
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
        let part = |name: &str| found.get(name).and_then(Json::as_str);
        // Whoever does not know the state did not come from this sign-in (RFC 9700, section 4.7).
        if part("state") != Some(&browser.state) {
            return Err(refused("the browser came back with the answer to another sign-in".into())
                .hint("run the command again and open the address that it shows"));
        }
        if let Some(error) = part("error") {
            let error = if desk.harmless(error) { error } else { "an error" };
            return Err(refused(format!("the server answered `{error}`")));
        }
        let code = part("code").ok_or_else(|| refused("the browser came back without a code".into()))?;
        let fields = vec![
            ("grant_type".to_owned(), "authorization_code".to_owned()),
            ("code".to_owned(), code.to_owned()),
            ("redirect_uri".to_owned(), browser.redirect.clone()),
            ("code_verifier".to_owned(), browser.verifier.clone()),
        ];
        let nothing = Map::new();
        let what = "changing the code for a token";
        let got = desk.send(what, oauth2::request(desk, fields, &nothing)?).await?;
        let mut redirect = found;
        for name in ["code", "state"] {
            redirect.remove(name);
        }
        let auth = oauth2::taken(desk, what, &got, Json::Object(redirect))?;
        self.adopt(auth).await.map(drop)
    }

    /// Begins a sign-in on another machine.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn device(&self) -> Result<Device> {
        let desk = &self.desk;
        let oauth = oauth2::spec(desk)?;
        let nothing = Map::new();
        let url = oauth2::needed(desk, oauth.device_url.as_ref(), "device_url")?;
        let mut fields = Vec::new();
        if oauth.client_auth == ClientAuth::Basic {
            // Servers look for it in the form, whatever else is sent (RFC 8628, section 3.1).
            fields.push(("client_id".to_owned(), oauth2::needed(desk, oauth.client_id.as_ref(), "client_id")?));
        }
        if let Some(scope) = desk.maybe(oauth.scope.as_ref(), &nothing)? {
            fields.push(("scope".to_owned(), scope));
        }
        let mut request = oauth2::request_to(desk, url, fields, &nothing)?;
        dedupe(&mut request);
        let got = desk.send("asking for a device code", request).await?;
        if got.status >= 400 {
            return Err(super::answer::refused(desk, "asking for a device code", &got));
        }
        let body: Json = serde_json::from_slice(&got.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let missing = || Error::new(Trouble::Denied, &SIGN_IN_REFUSED, "the server gave no device code");
        Ok(Device {
            url: text("verification_uri").or_else(|| text("verification_url")).ok_or_else(missing)?,
            code: text("user_code").ok_or_else(missing)?,
            complete: text("verification_uri_complete"),
            device_code: text("device_code").ok_or_else(missing)?,
            interval: Duration::from_secs(body["interval"].as_u64().unwrap_or(5).clamp(1, 60)),
            left: Duration::from_secs(body["expires_in"].as_u64().unwrap_or(600).min(3600)),
        })
    }

    /// Waits until the person has signed in on the other machine, and keeps what the server gives.
    ///
    /// # Errors
    /// If the person refuses, or the code ends before.
    pub async fn granted(&self, device: &Device) -> Result<()> {
        let desk = &self.desk;
        let what = "waiting for the sign-in on the other machine";
        let (mut interval, mut left) = (device.interval, device.left);
        loop {
            left = left.checked_sub(interval).ok_or_else(|| {
                Error::new(Trouble::Environment, &SIGN_IN_UNANSWERED, "nobody signed in before the code ended")
                    .hint("run the command again")
            })?;
            desk.wire.pause(interval).await;
            let fields = vec![
                ("grant_type".to_owned(), "urn:ietf:params:oauth:grant-type:device_code".to_owned()),
                ("device_code".to_owned(), device.device_code.clone()),
            ];
            let mut request = oauth2::request(desk, fields, &Map::new())?;
            dedupe(&mut request);
            let got = desk.send(what, request).await?;
            if oauth2::says(&got, "authorization_pending") {
                continue;
            }
            if oauth2::says(&got, "slow_down") {
                interval += Duration::from_secs(5);
                continue;
            }
            let auth = oauth2::taken(desk, what, &got, Json::Null)?;
            return self.adopt(auth).await.map(drop);
        }
    }
}

/// Of fields with one name the first one stays: `client_id` may have come twice.
fn dedupe(request: &mut crate::connect::web::Request) {
    let mut seen = std::collections::BTreeSet::new();
    let mut made = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(&request.body) {
        if seen.insert(name.clone().into_owned()) {
            made.append_pair(&name, &value);
        }
    }
    request.body = made.finish().into();
}

/// Answers a browser; the address it asked for, if it is the answer to this sign-in.
async fn greeted(mut stream: tokio::net::TcpStream, browser: &Browser) -> Option<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut seen = Vec::new();
    let read = async {
        let mut part = [0; 2048];
        while !seen.windows(4).any(|end| end == b"\r\n\r\n") && seen.len() < LINE {
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => break,
                Ok(count) => seen.extend_from_slice(&part[..count]),
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(10), read).await;
    let text = String::from_utf8_lossy(&seen);
    let target = text.lines().next()?.strip_prefix("GET ")?.split(' ').next()?.to_owned();
    let redirect = url::Url::parse(&browser.redirect).ok()?;
    let url = redirect.join(&target).ok()?;
    let ours = url.query_pairs().any(|(name, value)| name == "state" && value == browser.state);
    let wanted = redirect.path() == url.path() && ours;
    let (status, body) = match wanted {
        true => ("200 OK", "<p>consign has what it needs. This window can be closed.</p>"),
        false => ("404 Not Found", "<p>There is nothing here.</p>"),
    };
    let page = format!("<!doctype html><meta charset=\"utf-8\"><title>consign</title>{body}");
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         referrer-policy: no-referrer\r\ncache-control: no-store\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    wanted.then(|| url.to_string())
}

/// 43 characters that nobody can guess (RFC 7636, section 4.1).
fn random() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::bug(format!("no random numbers are to be had: {e}")))?;
    Ok(URL.encode(bytes))
}

fn bad_redirect(said: &str) -> Error {
    let cause = format!("`{said}` of the sign-in is no address");
    Error::new(Trouble::Invalid, &crate::error::codes::connect::PACK_INVALID, cause)
}
