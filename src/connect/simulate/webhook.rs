//! What a simulated system sends when a record changes: as its pack says the system does, and signed as it
//! signs; of a pack that does not say it, the change alone.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::connect::pack::{Name, Pack, Scope};
use crate::connect::{auth, received};
use crate::error::{Error, Result};
use crate::record::json::from_json;
use crate::record::{Arena, Timestamp};

/// Makes messages of changes.
pub struct Messenger {
    pack: &'static Pack,
    params: Json,
    secret: String,
}

/// A message that is to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Messenger {
    /// Of a system with these parameters; `secret`: the key that both sides share.
    pub fn new(pack: &'static Pack, params: Json, secret: String) -> Self {
        Self { pack, params, secret }
    }

    /// What is sent to `url` when that changes: `{stream, event, record}`.
    ///
    /// # Errors
    /// If the pack's templates have no value for it.
    pub fn message(&self, change: &Json, url: &str) -> Result<Message> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let kind = |body: String| Message { headers: vec![("content-type".into(), "application/json".into())], body };
        let Some(spec) = &self.pack.webhook else { return Ok(kind(change.to_string())) };
        let arena = Arena::new();
        let at = Timestamp { seconds: now.as_secs().cast_signed(), nanos: now.subsec_nanos(), offset: 0 };
        let fresh = auth::fresh(at)?;
        let scope = Scope::new(&arena, at)
            .with(Name::Params, from_json(&self.params, &arena))
            .with(Name::Record, from_json(&change["record"], &arena))
            .with(Name::Stream, from_json(&json!({ "name": change["stream"] }), &arena))
            .with(Name::Item, from_json(&json!({ "event": change["event"] }), &arena))
            .with(Name::Fresh, from_json(&fresh, &arena));
        let body = spec.body.json(&scope)?.unwrap_or_default().to_string();
        let parsed = url::Url::parse(url).map_err(|_| Error::bug("a webhook goes to no address"))?;
        let request = json!({
            "method": "POST",
            "url": url,
            "host": parsed.host_str(),
            "path": parsed.path(),
            "query": parsed.query().unwrap_or_default(),
            "body": body,
        });
        let scope = scope.with(Name::Request, from_json(&request, &arena));
        let signature = match &spec.canonical {
            Some(canonical) => {
                let text = canonical.text(&scope)?;
                Some(received::signature(spec, &self.secret, &text)?)
            }
            None => None,
        };
        let scope = scope.with(Name::Auth, from_json(&json!({ "signature": signature }), &arena));
        let mut message = kind(body);
        let headers = spec.headers.as_ref().map(|headers| headers.json(&scope)).transpose()?.flatten();
        for (name, value) in headers.iter().filter_map(Json::as_object).flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            message.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            message.headers.push((name.clone(), value));
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::pack::tests::pack;

    #[test]
    fn messages_are_signed_as_the_pack_says() {
        let pack = pack(
            "pack: test\nabout: A test.\nwebhook:\n  body: { type: \"{{ stream.name }}.{{ item.event }}\", data: \"{{ record }}\" }\n  canonical: \"{{ fresh.unix }}.{{ request.body }}\"\n  headers: { X-Signature: \"t={{ fresh.unix }},v1={{ auth.signature }}\" }\n",
        );
        let change = json!({ "stream": "orders", "event": "create", "record": { "id": 7 } });
        let made = Messenger::new(pack, json!({}), "key".into()).message(&change, "http://127.0.0.1:1/hook").unwrap();
        assert_eq!(made.body, r#"{"type":"orders.create","data":{"id":7}}"#);
        let signature = &made.headers.iter().find(|(name, _)| name == "X-Signature").unwrap().1;
        let (time, signature) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        // Computed another way than it was made.
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"key");
        let signature = data_encoding::HEXLOWER.decode(signature.as_bytes()).unwrap();
        ring::hmac::verify(&key, format!("{time}.{}", made.body).as_bytes(), &signature).unwrap();
    }

    #[test]
    fn without_a_section_the_change_alone_is_sent() {
        let pack = pack("pack: test\nabout: A test.\n");
        let change = json!({ "stream": "orders", "event": "delete", "record": { "id": 7 } });
        let made = Messenger::new(pack, json!({}), String::new()).message(&change, "http://127.0.0.1:1/").unwrap();
        assert_eq!(made.body, change.to_string());
        assert_eq!(made.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    }
}
