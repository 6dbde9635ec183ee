//! AWS Signature Version 4: `auth.authorization` is the whole header. What the algorithm itself sends beside
//! it (`X-Amz-Date`, `X-Amz-Security-Token`, `X-Amz-Content-Sha256`) is part of the standard.
//!
//! Steps of the way can obtain temporary keys: templates see what they captured as `auth`.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use super::desk::Desk;
use super::{SignInKind, answer};
use crate::connect::pack::auth::{Kind, Payload};
use crate::connect::web::Request;
use crate::connect::web::draft::segment;
use crate::error::{Error, Result};
use crate::record::Timestamp;

/// The body's hash where the body is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Headers that are not signed: what is on the way may change them.
const UNSTEADY: &[&str] =
    &["authorization", "user-agent", "accept-encoding", "content-length", "connection", "expect", "x-amzn-trace-id"];

pub(super) struct SigV4;

/// What is signed with.
struct Keys<'k> {
    id: &'k str,
    secret: &'k str,
    session: Option<&'k str>,
    region: &'k str,
    service: &'k str,
    payload: Payload,
}

impl SignInKind for SigV4 {
    fn word(&self) -> &'static str {
        "sigv4"
    }

    fn sign(
        &self,
        desk: &Desk,
        auth: &Map<String, Json>,
        request: &mut Request,
        _fresh: &Json,
    ) -> Result<Option<Map<String, Json>>> {
        let Kind::SigV4(spec) = &desk.way.kind else { return Err(Error::bug("no sigv4 sign-in")) };
        let session = desk.maybe(spec.session_token.as_ref(), auth)?;
        let keys = Keys {
            id: &desk.text(&spec.key_id, auth)?,
            secret: &zeroize::Zeroizing::new(desk.text(&spec.key, auth)?),
            session: session.as_deref(),
            region: &desk.text(&spec.region, auth)?,
            service: &desk.text(&spec.service, auth)?,
            payload: spec.payload,
        };
        let header = authorization(request, &keys, desk.now())?;
        Ok(Some([("authorization".to_owned(), Json::String(header))].into_iter().collect()))
    }
}

/// Adds what the algorithm sends and gives the header that is left.
fn authorization(request: &mut Request, keys: &Keys<'_>, now: Timestamp) -> Result<String> {
    let time = basic_time(now);
    let day = &time[..8];
    answer::header(request, "x-amz-date", &time)?;
    if let Some(session) = keys.session {
        answer::header(request, "x-amz-security-token", session)?;
    }
    let hash = match keys.payload {
        Payload::Unsigned => UNSIGNED.to_owned(),
        _ => HEXLOWER.encode(&Sha256::digest(&request.body)),
    };
    if keys.payload != Payload::Signed {
        answer::header(request, "x-amz-content-sha256", &hash)?;
    }
    // What is signed is what is sent: the query goes out as it is written below.
    let query = query(request);
    let (canonical, signed) = canonical(request, &query, &hash, keys.payload != Payload::Hashed);
    let scope = format!("{day}/{}/{}/aws4_request", keys.region, keys.service);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", HEXLOWER.encode(&Sha256::digest(canonical.as_bytes())));
    let mut key = mac(format!("AWS4{}", keys.secret).as_bytes(), day.as_bytes());
    for part in [keys.region, keys.service, "aws4_request", &text] {
        key = mac(&key, part.as_bytes());
    }
    let signature = HEXLOWER.encode(&key);
    Ok(format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}", keys.id))
}

/// Writes the query of a request as the algorithm wants it, in its own order; the canonical one.
fn query(request: &mut Request) -> String {
    let written: Vec<String> =
        request.url.query_pairs().map(|(name, value)| format!("{}={}", segment(&name), segment(&value))).collect();
    if !written.is_empty() {
        request.url.set_query(Some(&written.join("&")));
    }
    let mut pairs: Vec<(&str, &str)> = written.iter().filter_map(|pair| pair.split_once('=')).collect();
    pairs.sort_unstable();
    let sorted: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    sorted.join("&")
}

/// The canonical request, and the names of the headers that are signed. `twice`: whether the path, which is
/// escaped already, is escaped once more, as all services but S3 want it.
fn canonical(request: &Request, query: &str, hash: &str, twice: bool) -> (String, String) {
    let path = request.url.path();
    let path = match twice {
        true => path.split('/').map(segment).collect::<Vec<_>>().join("/"),
        false => path.to_owned(),
    };
    let mut headers: Vec<(String, String)> = vec![("host".to_owned(), answer::host(request))];
    for name in request.headers.keys().filter(|name| !UNSTEADY.contains(&name.as_str()) && name.as_str() != "host") {
        let all: Vec<String> = request
            .headers
            .get_all(name)
            .iter()
            .map(|value| {
                let text = String::from_utf8_lossy(value.as_bytes());
                text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        headers.push((name.as_str().to_owned(), all.join(",")));
    }
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    (format!("{}\n{path}\n{query}\n{lines}\n{signed}\n{hash}", request.method), signed)
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    ring::hmac::sign(&key, text).as_ref().to_vec()
}

/// `20150830T123600Z`
fn basic_time(now: Timestamp) -> String {
    let mut text = Vec::new();
    Timestamp { seconds: now.seconds, nanos: 0, offset: 0 }.write(&mut text);
    String::from_utf8_lossy(&text).chars().filter(|c| !matches!(c, '-' | ':')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of AWS' own test suite for Signature Version 4 (`aws-sig-v4-test-suite`): a request, the
    /// names of its signed headers and the signature.
    #[test]
    fn signatures_are_those_of_the_suite() {
        let check = |name: &str,
                     method: &str,
                     url: &str,
                     headers: &[(&'static str, &str)],
                     body: &'static str,
                     expected: &str| {
            let mut all = reqwest::header::HeaderMap::new();
            for (name, value) in headers {
                all.append(*name, value.parse().unwrap());
            }
            let mut request = Request {
                method: method.parse().unwrap(),
                url: format!("https://example.amazonaws.com{url}").parse().unwrap(),
                headers: all,
                body: body.into(),
                timeout: None,
            };
            let keys = Keys {
                id: "AKIDEXAMPLE",
                secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                session: None,
                region: "us-east-1",
                service: "service",
                payload: Payload::Signed,
            };
            let now = Timestamp::parse_rfc3339("2015-08-30T12:36:00Z").unwrap();
            let header = authorization(&mut request, &keys, now).unwrap();
            assert_eq!(header.rsplit_once("Signature=").unwrap().1, expected, "{name}: {header}");
        };
        let form = ("content-type", "application/x-www-form-urlencoded");
        let get = "GET";
        check("get-vanilla", get, "/", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        check(
            "get-vanilla-query-order-key-case",
            get,
            "/?Param2=value2&Param1=value1",
            &[],
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        );
        check(
            "get-header-key-duplicate",
            get,
            "/",
            &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
            "",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        );
        check(
            "get-header-value-trim",
            get,
            "/",
            &[("my-header1", " value1 "), ("my-header2", " \"a   b   c\" ")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        );
        check(
            "get-unreserved",
            get,
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            &[],
            "",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        );
        check(
            "get-vanilla-utf8-query",
            get,
            "/?%E1%88%B4=bar",
            &[],
            "",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        );
        check(
            "post-header-value-case",
            "POST",
            "/",
            &[("my-header1", "VALUE1")],
            "",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        );
        check(
            "post-vanilla-query-nonunreserved",
            "POST",
            "/?%40%23%24%25%5E=&%2B=%2F%2C%3F%3E%3C%60%22%3B%3A%5C%7C%5D%5B%7B%7D",
            &[],
            "",
            "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e",
        );
        check("post-vanilla", "POST", "/", &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
        check(
            "post-x-www-form-urlencoded",
            "POST",
            "/",
            &[form],
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        );
    }

    /// The example of the S3 documentation: the list of a bucket.
    #[test]
    fn s3_wants_the_hash_as_a_header() {
        let mut request = Request {
            method: reqwest::Method::GET,
            url: "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J".parse().unwrap(),
            headers: reqwest::header::HeaderMap::new(),
            body: bytes::Bytes::new(),
            timeout: None,
        };
        let keys = Keys {
            id: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            session: None,
            region: "us-east-1",
            service: "s3",
            payload: Payload::Hashed,
        };
        let now = Timestamp::parse_rfc3339("2013-05-24T00:00:00Z").unwrap();
        let header = authorization(&mut request, &keys, now).unwrap();
        assert!(
            header.ends_with("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
            "{header}"
        );
    }
}
