//! OAuth 2.0 (RFC 6749): tokens by every grant that needs no person at the moment, refreshed with rotation.
//! What needs a person stands in [`super::login`].

use serde_json::{Map, Value as Json, json};

use super::desk::{Desk, plain};
use super::{Later, SignInKind, answer, jwt};
use crate::connect::pack::Name;
use crate::connect::pack::auth::{ClientAuth, Grant, Kind, OAuth2 as Spec};
use crate::connect::web::{Answer, Content, Draft, Request};
use crate::error::codes::connect::{PACK_INVALID, SIGN_IN_NEEDED, SIGN_IN_REFUSED};
use crate::error::{Error, Kind as Trouble, Result};

/// The type of a signed assertion of a client (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(super) struct OAuth2;

impl SignInKind for OAuth2 {
    fn word(&self) -> &'static str {
        "oauth2"
    }

    fn obtain<'a>(
        &'a self,
        desk: &'a Desk,
        known: &'a Map<String, Json>,
        old: &'a Map<String, Json>,
    ) -> Later<'a, Result<Map<String, Json>>> {
        Box::pin(async move {
            let oauth = spec(desk)?;
            let seed = || desk.maybe(oauth.refresh_token.as_ref(), known);
            let refresh = match old.get("refresh_token").and_then(Json::as_str) {
                Some(known) => Some(known.to_owned()),
                None => seed()?,
            };
            if let Some(refresh) = refresh {
                let fields = vec![("grant_type".into(), "refresh_token".into()), ("refresh_token".into(), refresh)];
                let mut seen = old.clone();
                seen.extend(known.clone());
                match token(desk, "refreshing the token", fields, &seen).await {
                    Ok(fresh) => return Ok(joined(old, fresh)),
                    // A client that can sign in for itself does, when its refresh token is no longer good.
                    Err(error) if needs_another(oauth.grant) || error.kind() != Trouble::Denied => return Err(error),
                    Err(_) => {}
                }
            }
            let mut fields: Vec<(String, String)> = Vec::new();
            let mut say = |name: &str, value: String| fields.push((name.to_owned(), value));
            match oauth.grant {
                Grant::ClientCredentials => say("grant_type", "client_credentials".into()),
                Grant::Password => {
                    let Some((user, password)) = &oauth.user else { return Err(Error::bug("no user")) };
                    say("grant_type", "password".into());
                    say("username", desk.text(user, known)?);
                    say("password", desk.maybe(password.as_ref(), known)?.unwrap_or_default());
                }
                Grant::JwtBearer => {
                    let Some(assertion) = &oauth.assertion else { return Err(Error::bug("no assertion")) };
                    say("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".into());
                    say("assertion", jwt::made(desk, assertion, &target(desk, oauth, known)?)?);
                }
                Grant::TokenExchange => {
                    let Some((subject, kind)) = &oauth.subject_token else { return Err(Error::bug("no subject")) };
                    let usual = "urn:ietf:params:oauth:token-type:jwt".to_owned();
                    say("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange".into());
                    say("subject_token", desk.text(subject, known)?);
                    say("subject_token_type", desk.maybe(kind.as_ref(), known)?.unwrap_or(usual));
                }
                Grant::AuthorizationCode | Grant::DeviceCode | Grant::RefreshToken => {
                    let name = &desk.given.connector.name;
                    let cause = format!("nobody has signed in to `{name}` yet");
                    return Err(Error::new(Trouble::Denied, &SIGN_IN_NEEDED, cause)
                        .hint(format!("sign in once: `consign connect login {name}`")));
                }
            }
            if let Some(scope) = desk.maybe(oauth.scope.as_ref(), known)? {
                say("scope", scope);
            }
            token(desk, "asking for a token", fields, known).await
        })
    }
}

/// Whether a person, or somebody who has another refresh token, is needed.
fn needs_another(grant: Grant) -> bool {
    grant.asks_a_person() || grant == Grant::RefreshToken
}

/// What the way says of OAuth 2.0.
///
/// # Errors
/// If it is of another kind.
pub(super) fn spec(desk: &Desk) -> Result<&'static Spec> {
    match &desk.way.kind {
        Kind::OAuth2(oauth) => Ok(oauth),
        _ => Err(Error::bug("no oauth2 sign-in")),
    }
}

/// What was captured before stays where the new answer is silent: a refresh token that does not rotate, a host.
fn joined(old: &Map<String, Json>, fresh: Map<String, Json>) -> Map<String, Json> {
    let mut made = old.clone();
    // An end of the old token says nothing of the new one.
    made.remove("expires_in");
    made.remove("expires_at");
    made.extend(fresh);
    made
}

/// Makes a token request and takes what the answer gives.
///
/// # Errors
/// [`Trouble::Denied`] if it is refused, [`Trouble::Environment`] if it is not answered.
pub(super) async fn token(
    desk: &Desk,
    what: &str,
    fields: Vec<(String, String)>,
    auth: &Map<String, Json>,
) -> Result<Map<String, Json>> {
    let request = request(desk, fields, auth)?;
    let got = desk.send(what, request).await?;
    taken(desk, what, &got, Json::Null)
}

/// What an answer with a token gives. `redirect`: the parameters with which a browser came back.
///
/// # Errors
/// If it is a refusal, or there is no token in it.
pub(super) fn taken(desk: &Desk, what: &str, got: &Answer, redirect: Json) -> Result<Map<String, Json>> {
    let oauth = spec(desk)?;
    let mut told = answer::told(got);
    if got.status >= 400 || told["body"].get("error").is_some_and(|error| !error.is_null()) {
        let mut refusal = got.clone();
        // A refusal inside an answer that looks well.
        refusal.status = refusal.status.max(400);
        return Err(answer::refused(desk, what, &refusal));
    }
    if let Json::Object(entries) = &mut told {
        entries.insert("redirect".into(), redirect);
    }
    let mut auth = Map::new();
    for (name, place) in [
        ("token", "access_token"),
        ("refresh_token", "refresh_token"),
        ("expires_in", "expires_in"),
        ("scope", "scope"),
    ] {
        if let Some(value) = told["body"].get(place).filter(|value| !value.is_null()) {
            auth.insert(name.into(), value.clone());
        }
    }
    let nothing = Map::new();
    let captured = desk.map(oauth.capture.as_ref(), &nothing, &[(Name::Answer, &told)])?;
    auth.extend(captured.into_iter().filter(|(_, value)| !value.is_null()));
    if auth.get("token").and_then(Json::as_str).is_none_or(str::is_empty) {
        let cause = format!("{what}: the answer was {} and there is no token in it", got.status);
        return Err(Error::new(Trouble::Denied, &SIGN_IN_REFUSED, cause)
            .hint("the pack says under `capture` where the token stands in the answer"));
    }
    Ok(auth)
}

/// A request to the token server, with what shows who the client is.
///
/// # Errors
/// If a template has no value, or the key is none.
pub(super) fn request(desk: &Desk, fields: Vec<(String, String)>, auth: &Map<String, Json>) -> Result<Request> {
    let url = desk.text(&spec(desk)?.token_url, auth)?;
    request_to(desk, url, fields, auth)
}

/// The same to another address of that server.
///
/// # Errors
/// As for [`request`].
pub(super) fn request_to(
    desk: &Desk,
    url: String,
    mut fields: Vec<(String, String)>,
    auth: &Map<String, Json>,
) -> Result<Request> {
    let oauth = spec(desk)?;
    let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
    headers.extend(desk.pairs(oauth.headers.as_ref(), auth)?);
    let id = desk.maybe(oauth.client_id.as_ref(), auth)?;
    let secret = desk.maybe(oauth.client_secret.as_ref(), auth)?;
    let mut say = |name: &str, value: Option<String>| fields.extend(value.map(|value| (name.to_owned(), value)));
    match (oauth.client_auth, &id, &secret) {
        (ClientAuth::Basic, Some(id), Some(secret)) => {
            use base64::Engine as _;
            // RFC 6749, section 2.3.1: both are escaped as in forms first.
            let escape = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", escape(id), escape(secret));
            let text = base64::engine::general_purpose::STANDARD.encode(pair);
            headers.push(("Authorization".into(), format!("Basic {text}")));
        }
        (ClientAuth::PrivateKeyJwt, ..) => {
            let Some(assertion) = &oauth.assertion else { return Err(Error::bug("no assertion")) };
            say("client_assertion_type", Some(ASSERTION_TYPE.into()));
            say("client_assertion", Some(jwt::made(desk, assertion, &target(desk, oauth, auth)?)?));
        }
        // A public client, whatever way was said: it has nothing to show.
        (ClientAuth::Basic | ClientAuth::None, ..) => say("client_id", id),
        (ClientAuth::Post, ..) => {
            say("client_id", id);
            say("client_secret", secret);
        }
    }
    for (name, value) in desk.map(oauth.parameters.as_ref(), auth, &[])? {
        if let Some(value) = plain(&value) {
            fields.retain(|(known, _)| *known != name);
            fields.push((name, value));
        }
    }
    let content = match oauth.json {
        true => Content::Json(Json::Object(fields.into_iter().map(|(name, value)| (name, value.into())).collect())),
        false => Content::Form(fields),
    };
    Draft { method: reqwest::Method::POST, url: Some(url), headers, content, ..Draft::default() }.finish()
}

/// What an assertion sees: `auth.token_url`, its usual audience.
fn target(desk: &Desk, oauth: &'static Spec, auth: &Map<String, Json>) -> Result<Map<String, Json>> {
    let mut made = auth.clone();
    made.insert("token_url".into(), desk.text(&oauth.token_url, auth)?.into());
    Ok(made)
}

/// Revokes what was granted (RFC 7009), where the pack says how.
///
/// # Errors
/// If the server refuses, or is silent.
pub(super) async fn revoke(desk: &Desk, auth: &Map<String, Json>) -> Result<()> {
    let Kind::OAuth2(oauth) = &desk.way.kind else { return Ok(()) };
    let Some(url) = desk.maybe(oauth.revoke_url.as_ref(), auth)? else { return Ok(()) };
    for (name, hint) in [("refresh_token", "refresh_token"), ("token", "access_token")] {
        let Some(token) = auth.get(name).and_then(Json::as_str) else { continue };
        let fields = vec![("token".to_owned(), token.to_owned()), ("token_type_hint".to_owned(), hint.to_owned())];
        let got = desk.send("revoking the token", request_to(desk, url.clone(), fields, auth)?).await?;
        if got.status >= 400 && !matches!(got.status, 401 | 404) {
            return Err(answer::refused(desk, "revoking the token", &got));
        }
    }
    Ok(())
}

/// Whether an answer of the token server says so.
pub(super) fn says(got: &Answer, code: &str) -> bool {
    let body: Json = serde_json::from_slice(&got.body).unwrap_or_default();
    body["error"] == json!(code)
}

/// An address of the way that must be there.
///
/// # Errors
/// If it is not.
pub(super) fn needed(
    desk: &Desk,
    template: Option<&'static crate::connect::pack::Template>,
    name: &str,
) -> Result<String> {
    let found = desk.maybe(template, &Map::new())?;
    found.ok_or_else(|| Error::new(Trouble::Invalid, &PACK_INVALID, format!("`{name}` of the sign-in is empty")))
}
