//! OAuth 1.0a (RFC 5849): calls signed with HMAC; `auth.authorization` is the whole header.

use serde_json::{Map, Value as Json};

use super::SignInKind;
use super::desk::{Desk, plain};
use super::hmac::signed;
use crate::connect::pack::auth::{Digest, Kind};
use crate::connect::web::Request;
use crate::connect::web::draft::segment;
use crate::error::codes::connect::PACK_INVALID;
use crate::error::{Error, Kind as Trouble, Result};

pub(super) struct OAuth1;

impl SignInKind for OAuth1 {
    fn word(&self) -> &'static str {
        "oauth1"
    }

    fn sign(
        &self,
        desk: &Desk,
        auth: &Map<String, Json>,
        request: &mut Request,
        fresh: &Json,
    ) -> Result<Option<Map<String, Json>>> {
        let Kind::OAuth1(spec) = &desk.way.kind else { return Err(Error::bug("no oauth1 sign-in")) };
        let method = match spec.digest {
            Digest::Sha1 => "HMAC-SHA1",
            Digest::Sha256 => "HMAC-SHA256",
            Digest::Sha384 => return Err(Error::new(Trouble::Invalid, &PACK_INVALID, "OAuth 1.0a has no HMAC-SHA384")),
            Digest::Sha512 => "HMAC-SHA512",
        };
        let mut parameters = vec![
            ("oauth_consumer_key".to_owned(), desk.text(&spec.key_id, auth)?),
            ("oauth_nonce".to_owned(), plain(&fresh["nonce"]).unwrap_or_default()),
            ("oauth_signature_method".to_owned(), method.to_owned()),
            ("oauth_timestamp".to_owned(), plain(&fresh["unix"]).unwrap_or_default()),
            ("oauth_version".to_owned(), "1.0".to_owned()),
        ];
        if let Some(token) = desk.maybe(spec.token.as_ref(), auth)? {
            parameters.push(("oauth_token".to_owned(), token));
        }
        let secrets = (
            desk.text(&spec.consumer_secret, auth)?,
            desk.maybe(spec.token_secret.as_ref(), auth)?.unwrap_or_default(),
        );
        let realm = desk.maybe(spec.realm.as_ref(), auth)?;
        let header = authorization(request, spec.digest, &parameters, (&secrets.0, &secrets.1), realm.as_deref());
        Ok(Some([("authorization".to_owned(), Json::String(header))].into_iter().collect()))
    }
}

/// The header for a request with these parameters of the protocol.
fn authorization(
    request: &Request,
    digest: Digest,
    parameters: &[(String, String)],
    (consumer, token): (&str, &str),
    realm: Option<&str>,
) -> String {
    let base = base_string(request, parameters);
    let key = format!("{}&{}", segment(consumer), segment(token));
    use base64::Engine as _;
    let signature = base64::engine::general_purpose::STANDARD.encode(signed(digest, key.as_bytes(), base.as_bytes()));
    let mut header = String::from("OAuth ");
    if let Some(realm) = realm {
        header.push_str(&format!("realm=\"{}\", ", realm.replace(['"', '\\'], "")));
    }
    for (name, value) in parameters {
        header.push_str(&format!("{}=\"{}\", ", segment(name), segment(value)));
    }
    header.push_str(&format!("oauth_signature=\"{}\"", segment(&signature)));
    header
}

/// RFC 5849, section 3.4.1.
fn base_string(request: &Request, parameters: &[(String, String)]) -> String {
    let mut url = request.url.clone();
    let mut all: Vec<(String, String)> = url.query_pairs().map(|(k, v)| (segment(&k), segment(&v))).collect();
    let form = request.headers.get(reqwest::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if form.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        all.extend(url::form_urlencoded::parse(&request.body).map(|(k, v)| (segment(&k), segment(&v))));
    }
    all.extend(parameters.iter().map(|(k, v)| (segment(k), segment(v))));
    all.sort();
    let joined: Vec<String> = all.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    url.set_query(None);
    url.set_fragment(None);
    format!("{}&{}&{}", request.method.as_str().to_uppercase(), segment(url.as_str()), segment(&joined.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, url: &str, form: Option<&'static str>) -> Request {
        let mut headers = reqwest::header::HeaderMap::new();
        if form.is_some() {
            headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        }
        Request {
            method: method.parse().unwrap(),
            url: url.parse().unwrap(),
            headers,
            body: form.unwrap_or_default().into(),
            timeout: None,
        }
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    /// RFC 5849, section 3.4.1.1.
    #[test]
    fn the_base_string_is_that_of_the_standard() {
        let request = request("POST", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", Some("c2&a3=2+q"));
        let parameters = pairs(&[
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ]);
        assert_eq!(
            base_string(&request, &parameters),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    /// RFC 5849, section 1.2: the request for the photo.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let request = request("GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", None);
        let parameters = pairs(&[
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ]);
        let secrets = ("kd94hf93k423kf44", "pfkkdhi9sl3r4s00");
        let header = authorization(&request, Digest::Sha1, &parameters, secrets, Some("Photos"));
        assert!(header.starts_with("OAuth realm=\"Photos\", oauth_consumer_key=\"dpf43f3p2l4k3l03\""), "{header}");
        assert!(header.ends_with("oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\""), "{header}");
    }
}
