//! Calls signed with a shared key, over a text that the pack describes: `auth.signature`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value as Json};

use super::desk::Desk;
use super::{More, SignInKind, answer};
use crate::connect::pack::Name;
use crate::connect::pack::auth::{Coding, Digest, Kind};
use crate::connect::web::Request;
use crate::error::codes::connect::SIGN_IN_KEY;
use crate::error::{Error, Kind as Trouble, Result};

pub(super) struct Hmac;

impl SignInKind for Hmac {
    fn word(&self) -> &'static str {
        "hmac"
    }

    fn sign(
        &self,
        desk: &Desk,
        auth: &Map<String, Json>,
        request: &mut Request,
        fresh: &Json,
    ) -> Result<Option<Map<String, Json>>> {
        let Kind::Hmac(spec) = &desk.way.kind else { return Err(Error::bug("no hmac sign-in")) };
        let told = answer::told_request(request);
        let more: More<'_> = &[(Name::Fresh, fresh), (Name::Request, &told)];
        let text = desk.with(auth, more, |scope| spec.canonical.text(scope))?;
        let key = zeroize::Zeroizing::new(desk.text(&spec.key, auth)?);
        let mut made = Map::new();
        made.insert("signature".into(), shared_signature(spec.digest, (&key, spec.key_as), &text, spec.encode)?.into());
        Ok(Some(made))
    }
}

/// The signature of a text with a shared key, both written as they are said to be.
///
/// # Errors
/// If the key is not written so.
pub fn shared_signature(digest: Digest, (key, key_as): (&str, Coding), text: &str, encode: Coding) -> Result<String> {
    let key = zeroize::Zeroizing::new(bytes(key, key_as)?);
    Ok(written(&signed(digest, &key, text.as_bytes()), encode))
}

/// Whether that is the signature of a text with a shared key. How long it takes tells nothing of the right one.
///
/// # Errors
/// If the key is not written as it is said to be.
pub fn shared_signature_is(
    digest: Digest,
    (key, key_as): (&str, Coding),
    text: &str,
    (signature, written): (&str, Coding),
) -> Result<bool> {
    let key = zeroize::Zeroizing::new(bytes(key, key_as)?);
    let written = if written == Coding::Text { Coding::Hex } else { written };
    let Ok(signature) = bytes(signature, written) else { return Ok(false) };
    Ok(ring::hmac::verify(&keyed(digest, &key), text.as_bytes(), &signature).is_ok())
}

/// The keyed digest.
pub(super) fn signed(digest: Digest, key: &[u8], text: &[u8]) -> Vec<u8> {
    ring::hmac::sign(&keyed(digest, key), text).as_ref().to_vec()
}

fn keyed(digest: Digest, key: &[u8]) -> ring::hmac::Key {
    let algorithm = match digest {
        Digest::Sha1 => ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha256 => ring::hmac::HMAC_SHA256,
        Digest::Sha384 => ring::hmac::HMAC_SHA384,
        Digest::Sha512 => ring::hmac::HMAC_SHA512,
    };
    ring::hmac::Key::new(algorithm, key)
}

fn bytes(key: &str, coding: Coding) -> Result<Vec<u8>> {
    let none = |what: &str| Error::new(Trouble::Invalid, &SIGN_IN_KEY, format!("the shared key is no {what}"));
    match coding {
        Coding::Text => Ok(key.as_bytes().to_vec()),
        Coding::Hex => {
            data_encoding::HEXLOWER_PERMISSIVE.decode(key.trim().as_bytes()).map_err(|_| none("hexadecimal"))
        }
        Coding::Base64 => STANDARD.decode(key.trim()).map_err(|_| none("base64")),
        Coding::Base64Url => URL_SAFE_NO_PAD.decode(key.trim().trim_end_matches('=')).map_err(|_| none("base64url")),
    }
}

fn written(bytes: &[u8], coding: Coding) -> String {
    match coding {
        Coding::Hex | Coding::Text => data_encoding::HEXLOWER.encode(bytes),
        Coding::Base64 => STANDARD.encode(bytes),
        Coding::Base64Url => URL_SAFE_NO_PAD.encode(bytes),
    }
}
