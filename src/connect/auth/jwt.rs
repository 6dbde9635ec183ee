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

    fn obtain<'a>(
        &'a self,
        desk: &'a Desk,
        known: &'a Map<String, Json>,
        _old: &'a Map<String, Json>,
    ) -> Later<'a, Result<Map<String, Json>>> {
        Box::pin(async move {
            let Kind::Jwt(assertion) = &desk.way.kind else { return Err(Error::bug("no jwt sign-in")) };
            let token = made(desk, assertion, known)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature as sig;

    /// The example claims of RFC 7515, appendix A: with line ends as the standard has them.
    const CLAIMS: &str = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

    /// RFC 7515, appendix A.2: a key that everybody knows.
    const RSA: &str = r#"{"kty":"RSA","e":"AQAB",
        "n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
        "p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
        "q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
        "dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
        "dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
        "qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}"#;

    /// RFC 7515, appendix A.3.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

    /// RFC 7515, appendices A.1 and A.2.
    #[test]
    fn tokens_are_those_of_the_standard() {
        let key = URL
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let shared = Signer::Shared(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key));
        let made = shared.token("HS256", "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", CLAIMS).unwrap();
        assert!(made.ends_with(".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "{made}");
        let made = Signer::new("RS256", RSA).unwrap().token("RS256", "{\"alg\":\"RS256\"}", CLAIMS).unwrap();
        assert_eq!(
            made,
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        );
    }

    /// Each algorithm, checked by who knows the public key alone.
    #[test]
    fn signatures_are_good_for_others() {
        let check = |algorithm: &str, key: &str, verify: &'static dyn sig::VerificationAlgorithm| {
            let key = PrivateKey::read(key).unwrap();
            let jwk = key.public(algorithm);
            assert!(jwk.get("d").is_none() && jwk["kid"] == key.kid() && jwk["alg"] == algorithm);
            let part = |name: &str| URL.decode(jwk[name].as_str().unwrap()).unwrap();
            let made = Signer::Private(key).token(algorithm, "{}", CLAIMS).unwrap();
            let (message, signature) = made.rsplit_once('.').unwrap();
            let signature = URL.decode(signature).unwrap();
            let good = match jwk["kty"].as_str().unwrap() {
                "RSA" => {
                    // The modulus and the exponent, as ring wants them.
                    let public = sig::RsaPublicKeyComponents { n: part("n"), e: part("e") };
                    let by = match algorithm {
                        "RS256" => &sig::RSA_PKCS1_2048_8192_SHA256,
                        "RS384" => &sig::RSA_PKCS1_2048_8192_SHA384,
                        "RS512" => &sig::RSA_PKCS1_2048_8192_SHA512,
                        "PS256" => &sig::RSA_PSS_2048_8192_SHA256,
                        "PS384" => &sig::RSA_PSS_2048_8192_SHA384,
                        _ => &sig::RSA_PSS_2048_8192_SHA512,
                    };
                    public.verify(by, message.as_bytes(), &signature)
                }
                "EC" => {
                    let point = [vec![4], part("x"), part("y")].concat();
                    sig::UnparsedPublicKey::new(verify, point).verify(message.as_bytes(), &signature)
                }
                _ => sig::UnparsedPublicKey::new(verify, part("x")).verify(message.as_bytes(), &signature),
            };
            assert!(good.is_ok(), "{algorithm}");
        };
        for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
            check(algorithm, RSA, &sig::ED25519);
        }
        check("ES256", EC, &sig::ECDSA_P256_SHA256_FIXED);
        let made = |algorithm| PrivateKey::generate(algorithm).unwrap();
        check("ES256", &made("ES256"), &sig::ECDSA_P256_SHA256_FIXED);
        check("ES384", &made("ES384"), &sig::ECDSA_P384_SHA384_FIXED);
        check("EdDSA", &made("EdDSA"), &sig::ED25519);
        // As variables of the environment hold it.
        check("ES384", &made("ES384").replace('\n', "\\n"), &sig::ECDSA_P384_SHA384_FIXED);
    }

    #[test]
    fn keys_that_cannot_be_used_say_why_and_show_nothing() {
        let check = |text: &str, expected: &str| {
            let error = PrivateKey::read(text).unwrap_err();
            assert!(error.cause().contains(expected), "{error}");
            assert!(!format!("{error:?}").contains("c2VjcmV0"), "{error}");
        };
        check("", "neither PEM nor a JWK");
        check("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", "no RSA key");
        check("-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----", "no elliptic key");
        check("-----BEGIN RSA PRIVATE KEY-----\n???\n-----END RSA PRIVATE KEY-----", "base64");
        check("-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0", "encrypted");
        check("{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "has no `e`");
        check("{\"kty\":\"oct\"}", "kty");
        check("{", "no JSON");
        let error = PrivateKey::read(EC).unwrap().sign("RS256", b"x").unwrap_err();
        assert!(error.hints()[0].contains("ES256"));
        assert!(PrivateKey::generate("RS384").is_err());
    }
}
