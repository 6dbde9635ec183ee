//! Signed tokens (RFC 7515, 7519): as the sign-in itself, and as assertions of OAuth 2.0.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as URL;
use serde_json::{Map, Value as Json};

use super::desk::Desk;
use super::jwk::PrivateKey;
use super::{Later, SignInKind};
use crate::connect::pack::auth::{Assertion, Kind};
use crate::error::codes::connect::SIGN_IN_KEY;
use crate::error::{Error, Kind as Trouble, Result};

pub(super) struct Jwt;

impl SignInKind for Jwt {
    fn word(&self) -> &'static str {
        "jwt"
    }

    fn obtain<'a>(&'a self, desk: &'a Desk, _old: &'a Map<String, Json>) -> Later<'a, Result<Map<String, Json>>> {
        Box::pin(async move {
            let Kind::Jwt(assertion) = &desk.way.kind else { return Err(Error::bug("no jwt sign-in")) };
            let token = made(desk, assertion, &Map::new())?;
            let mut auth = Map::new();
            auth.insert("token".into(), token.into());
            auth.insert("expires_in".into(), assertion.lifetime.as_secs().into());
            Ok(auth)
        })
    }
}

/// A token as the pack describes it, signed.
///
/// # Errors
/// If a template has no value, or the key is none.
pub(super) fn made(desk: &Desk, assertion: &'static Assertion, auth: &Map<String, Json>) -> Result<String> {
    let algorithm = desk.text(&assertion.algorithm, auth)?;
    if !crate::connect::pack::auth::keys::ALGORITHMS.iter().any(|word| word.name == algorithm) {
        let cause = format!("`{algorithm}` is no algorithm that tokens are signed with");
        return Err(Error::new(Trouble::Invalid, &SIGN_IN_KEY, cause));
    }
    let key = zeroize::Zeroizing::new(desk.text(&assertion.key, auth)?);
    let signer = Signer::new(&algorithm, &key)?;
    let mut known = auth.clone();
    if let Signer::Private(key) = &signer {
        known.insert("kid".into(), key.kid().into());
    }
    let mut header = Map::new();
    header.insert("alg".into(), algorithm.as_str().into());
    header.insert("typ".into(), "JWT".into());
    header.extend(desk.map(assertion.header.as_ref(), &known, &[])?);
    header.retain(|_, value| !value.is_null());
    let mut claims = Map::new();
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    let begin = desk.seconds() - seconds(assertion.skew);
    claims.insert("iat".into(), begin.into());
    claims.insert("exp".into(), desk.seconds().saturating_add(seconds(assertion.lifetime)).into());
    claims.insert("jti".into(), desk.fresh()?["uuid"].clone());
    claims.extend(desk.map(Some(&assertion.claims), &known, &[])?);
    claims.retain(|_, value| !value.is_null());
    signer.token(&algorithm, &Json::Object(header).to_string(), &Json::Object(claims).to_string())
}

/// What signs.
pub(super) enum Signer {
    /// A private key.
    Private(PrivateKey),
    /// A shared key.
    Shared(ring::hmac::Key),
}

impl Signer {
    /// For an algorithm.
    ///
    /// # Errors
    /// If the key is none.
    pub fn new(algorithm: &str, key: &str) -> Result<Self> {
        let digest = match algorithm {
            "HS256" => ring::hmac::HMAC_SHA256,
            "HS384" => ring::hmac::HMAC_SHA384,
            "HS512" => ring::hmac::HMAC_SHA512,
            _ => return Ok(Self::Private(PrivateKey::read(key)?)),
        };
        Ok(Self::Shared(ring::hmac::Key::new(digest, key.as_bytes())))
    }

    /// Header and claims in the compact form, with their signature.
    ///
    /// # Errors
    /// If the key is not for this algorithm.
    pub fn token(&self, algorithm: &str, header: &str, claims: &str) -> Result<String> {
        let message = format!("{}.{}", URL.encode(header), URL.encode(claims));
        let signature = match self {
            Self::Private(key) => key.sign(algorithm, message.as_bytes())?,
            Self::Shared(key) => ring::hmac::sign(key, message.as_bytes()).as_ref().to_vec(),
        };
        Ok(format!("{message}.{}", URL.encode(signature)))
    }
}
