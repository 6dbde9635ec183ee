//! Private keys of signed tokens: read from PEM or JWK, used with ring, shown as a public JWK Set (RFC 7517)
//! with the thumbprint as key id (RFC 7638).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as URL};
use ring::rand::SystemRandom;
use ring::signature::{self as sig, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::codes::connect::SIGN_IN_KEY;
use crate::error::{Error, Kind, Result};

/// A private key.
pub enum PrivateKey {
    /// RSA, 2048 bits or more.
    Rsa(Box<RsaKeyPair>),
    /// ECDSA over P-256.
    P256(Box<EcdsaKeyPair>),
    /// ECDSA over P-384.
    P384(Box<EcdsaKeyPair>),
    /// Ed25519.
    Ed25519(Box<Ed25519KeyPair>),
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

impl PrivateKey {
    /// From PEM (PKCS#8, PKCS#1, SEC 1) or a JWK. The text is nowhere in the error.
    ///
    /// # Errors
    /// If it is none of them, or RSA of fewer than 2048 bits.
    pub fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with('{') {
            return from_jwk(text);
        }
        // Variables of the environment often hold line ends as two characters.
        let text = Zeroizing::new(text.replace("\\n", "\n"));
        let label = |name: &str| format!("-----BEGIN {name}-----");
        for name in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            let Some((_, rest)) = text.split_once(&label(name)) else { continue };
            let body = rest.split("-----").next().unwrap_or_default();
            let body: Zeroizing<String> = Zeroizing::new(body.chars().filter(|c| !c.is_whitespace()).collect());
            let der = Zeroizing::new(STANDARD.decode(body.as_bytes()).map_err(|_| none("its base64 is damaged"))?);
            return match name {
                "PRIVATE KEY" => from_pkcs8(&der),
                "RSA PRIVATE KEY" => {
                    RsaKeyPair::from_der(&der).map(|key| Self::Rsa(Box::new(key))).map_err(|_| none(RSA_ONLY))
                }
                _ => from_sec1(&der),
            };
        }
        Err(match text.contains("ENCRYPTED") {
            true => none("it is encrypted: give the key without a passphrase, from where secrets are kept"),
            false => none("it is neither PEM nor a JWK"),
        })
    }

    /// A new one for this algorithm, as PEM (PKCS#8).
    ///
    /// # Errors
    /// For algorithms whose keys are not made here, or without randomness.
    pub fn generate(algorithm: &str) -> Result<Zeroizing<String>> {
        let random = SystemRandom::new();
        let lost = |_| Error::bug("no random numbers are to be had");
        let document = match algorithm {
            "ES256" => EcdsaKeyPair::generate_pkcs8(&sig::ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(lost)?,
            "ES384" => EcdsaKeyPair::generate_pkcs8(&sig::ECDSA_P384_SHA384_FIXED_SIGNING, &random).map_err(lost)?,
            "EdDSA" => Ed25519KeyPair::generate_pkcs8(&random).map_err(lost)?,
            other => {
                let cause = format!("keys for {other} are not made here");
                return Err(Error::new(Kind::Invalid, &SIGN_IN_KEY, cause).hint(
                    "make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem`, and \
                     print its JWK Set with `consign connect keys NAME --from key.pem`",
                ));
            }
        };
        let body = Zeroizing::new(STANDARD.encode(document.as_ref()));
        let mut pem = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
        for line in body.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// What kind of key it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RSA",
            Self::P256(_) => "P-256",
            Self::P384(_) => "P-384",
            Self::Ed25519(_) => "Ed25519",
        }
    }

    /// The algorithms it can sign with, the usual one first.
    pub fn algorithms(&self) -> &'static [&'static str] {
        match self {
            Self::Rsa(_) => &["RS384", "RS256", "RS512", "PS256", "PS384", "PS512"],
            Self::P256(_) => &["ES256"],
            Self::P384(_) => &["ES384"],
            Self::Ed25519(_) => &["EdDSA"],
        }
    }

    /// Signs as JSON Web Signatures want it (RFC 7518, section 3).
    ///
    /// # Errors
    /// If the key is not for this algorithm.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        let failed = |_| Error::bug("the key could not sign");
        let unfit = || {
            let cause = format!("a key of kind {} does not sign with {algorithm}", self.kind());
            Error::new(Kind::Invalid, &SIGN_IN_KEY, cause).hint(format!("it can {}", self.algorithms().join(", ")))
        };
        match (self, algorithm) {
            (Self::Rsa(key), _) => {
                let padding: &dyn sig::RsaEncoding = match algorithm {
                    "RS256" => &sig::RSA_PKCS1_SHA256,
                    "RS384" => &sig::RSA_PKCS1_SHA384,
                    "RS512" => &sig::RSA_PKCS1_SHA512,
                    "PS256" => &sig::RSA_PSS_SHA256,
                    "PS384" => &sig::RSA_PSS_SHA384,
                    "PS512" => &sig::RSA_PSS_SHA512,
                    _ => return Err(unfit()),
                };
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(padding, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            (Self::P256(key), "ES256") | (Self::P384(key), "ES384") => {
                Ok(key.sign(&random, message).map_err(failed)?.as_ref().to_vec())
            }
            (Self::Ed25519(key), "EdDSA") => Ok(key.sign(message).as_ref().to_vec()),
            _ => Err(unfit()),
        }
    }

    /// The public key as a JWK: what may be given away. `kid` is its thumbprint.
    pub fn public(&self, algorithm: &str) -> Json {
        let mut jwk = self.bare();
        let kid = thumbprint(&jwk);
        if let Json::Object(entries) = &mut jwk {
            entries.insert("use".into(), "sig".into());
            entries.insert("alg".into(), algorithm.into());
            entries.insert("kid".into(), kid.into());
            entries.insert("key_ops".into(), json!(["verify"]));
        }
        jwk
    }

    /// The key's id: its thumbprint.
    pub fn kid(&self) -> String {
        thumbprint(&self.bare())
    }

    /// The members that the thumbprint is made of, in the order of their names.
    fn bare(&self) -> Json {
        match self {
            Self::Rsa(key) => {
                let public = sig::RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({ "e": URL.encode(&public.e), "kty": "RSA", "n": URL.encode(&public.n) })
            }
            Self::P256(key) => point("P-256", key.public_key().as_ref()),
            Self::P384(key) => point("P-384", key.public_key().as_ref()),
            Self::Ed25519(key) => {
                json!({ "crv": "Ed25519", "kty": "OKP", "x": URL.encode(key.public_key().as_ref()) })
            }
        }
    }
}

const RSA_ONLY: &str = "it is no RSA key of at least 2048 bits";

fn point(curve: &str, public: &[u8]) -> Json {
    // Uncompressed: 4, then both coordinates.
    let (x, y) = public[1..].split_at((public.len() - 1) / 2);
    json!({ "crv": curve, "kty": "EC", "x": URL.encode(x), "y": URL.encode(y) })
}

fn thumbprint(bare: &Json) -> String {
    URL.encode(Sha256::digest(bare.to_string().as_bytes()))
}

fn none(cause: &str) -> Error {
    Error::new(Kind::Invalid, &SIGN_IN_KEY, format!("the private key cannot be used: {cause}"))
}

fn from_pkcs8(der: &[u8]) -> Result<PrivateKey> {
    let random = SystemRandom::new();
    if let Ok(key) = EcdsaKeyPair::from_pkcs8(&sig::ECDSA_P256_SHA256_FIXED_SIGNING, der, &random) {
        return Ok(PrivateKey::P256(Box::new(key)));
    }
    if let Ok(key) = EcdsaKeyPair::from_pkcs8(&sig::ECDSA_P384_SHA384_FIXED_SIGNING, der, &random) {
        return Ok(PrivateKey::P384(Box::new(key)));
    }
    if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
        return Ok(PrivateKey::Ed25519(Box::new(key)));
    }
    RsaKeyPair::from_pkcs8(der)
        .map(|key| PrivateKey::Rsa(Box::new(key)))
        .map_err(|_| none("it is no RSA key of at least 2048 bits, and none of P-256, P-384 or Ed25519"))
}

/// RFC 5915: a sequence of 1, the key, the curve and the public key.
fn from_sec1(der: &[u8]) -> Result<PrivateKey> {
    let parts = (|| {
        let (_, mut body, _) = element(der).filter(|(tag, ..)| *tag == 0x30)?;
        let (mut private, mut public): (Option<&[u8]>, Option<&[u8]>) = (None, None);
        while let Some((tag, value, rest)) = element(body) {
            match tag {
                0x04 => private = Some(value),
                // [1], a bit string without unused bits.
                0xa1 => public = element(value).and_then(|(_, bits, _)| bits.strip_prefix(&[0])),
                _ => {}
            }
            body = rest;
        }
        Some((private?, public?))
    })();
    let (private, public) = parts.ok_or_else(|| none("it is no elliptic key with its public part"))?;
    from_scalar(private, public)
}

fn from_scalar(private: &[u8], public: &[u8]) -> Result<PrivateKey> {
    let random = SystemRandom::new();
    let unfit = |_| none("it is not of P-256 or P-384");
    Ok(match private.len() {
        32 => PrivateKey::P256(Box::new(
            EcdsaKeyPair::from_private_key_and_public_key(
                &sig::ECDSA_P256_SHA256_FIXED_SIGNING,
                private,
                public,
                &random,
            )
            .map_err(unfit)?,
        )),
        48 => PrivateKey::P384(Box::new(
            EcdsaKeyPair::from_private_key_and_public_key(
                &sig::ECDSA_P384_SHA384_FIXED_SIGNING,
                private,
                public,
                &random,
            )
            .map_err(unfit)?,
        )),
        _ => return Err(none("it is not of P-256 or P-384")),
    })
}

/// The first element of DER: its tag, its content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn from_jwk(text: &str) -> Result<PrivateKey> {
    let jwk: Json = serde_json::from_str(text).map_err(|_| none("it is no JSON"))?;
    // A set of one is as good.
    let jwk = jwk.pointer("/keys/0").unwrap_or(&jwk);
    let part = |name: &str| -> Result<Zeroizing<Vec<u8>>> {
        let text = jwk.get(name).and_then(Json::as_str).ok_or_else(|| none(&format!("the JWK has no `{name}`")))?;
        URL.decode(text.trim_end_matches('=')).map(Zeroizing::new).map_err(|_| none(&format!("`{name}` is damaged")))
    };
    match jwk.get("kty").and_then(Json::as_str) {
        Some("RSA") => {
            let [n, e, d, p, q, dp, dq, qi] =
                [part("n")?, part("e")?, part("d")?, part("p")?, part("q")?, part("dp")?, part("dq")?, part("qi")?];
            let components = ring::rsa::KeyPairComponents {
                public_key: ring::rsa::PublicKeyComponents { n: &**n, e: &**e },
                d: &**d,
                p: &**p,
                q: &**q,
                dP: &**dp,
                dQ: &**dq,
                qInv: &**qi,
            };
            RsaKeyPair::from_components(&components)
                .map(|key| PrivateKey::Rsa(Box::new(key)))
                .map_err(|_| none(RSA_ONLY))
        }
        Some("EC") => {
            let (private, x, y) = (part("d")?, part("x")?, part("y")?);
            let mut public = vec![4];
            public.extend_from_slice(&x);
            public.extend_from_slice(&y);
            from_scalar(&private, &public)
        }
        Some("OKP") => Ed25519KeyPair::from_seed_unchecked(&part("d")?)
            .map(|key| PrivateKey::Ed25519(Box::new(key)))
            .map_err(|_| none("it is no Ed25519 key")),
        _ => Err(none("the JWK's `kty` is not RSA, EC or OKP")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638, section 3.1.
    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let bare = json!({ "e": "AQAB", "kty": "RSA", "n": n });
        assert_eq!(thumbprint(&bare), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn damaged_der_is_refused() {
        for length in 0..40 {
            for byte in [0_u8, 0x30, 0x81, 0x84, 0xff] {
                assert!(from_sec1(&vec![byte; length]).is_err());
            }
        }
    }
}
