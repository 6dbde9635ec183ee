//! Messages that a system sent: whether they are from it. The same section of a pack says how its simulator signs
//! ([`super::simulate`]) and how what came is checked, so that both are the same text under the same key.

use serde_json::{Map, Value as Json, json};

use super::auth;
use super::pack::template::to_json;
use super::pack::webhook::Webhook;
use super::pack::{Given, Name, Pack, Scope, Template};
use crate::error::codes::connect::{PACK_INVALID, WEBHOOK_REFUSED};
use crate::error::{Error, Kind, Result};
use crate::record::json::from_json;
use crate::record::{Arena, Timestamp};

/// The operation that every pack has whose webhooks can be checked.
pub const OPERATION: &str = "verify_webhook";

/// Whether a pack says how messages of its system are checked.
pub fn known(pack: &Pack) -> bool {
    pack.webhook.as_ref().is_some_and(|spec| spec.check.is_some())
}

/// Checks a message: `headers` (a map), `body` (its text, byte for byte), and where the system signs them `url`
/// and `method`. Says when it was signed, if the system says it.
///
/// # Errors
/// It is not signed by who has the key, or too long ago; the input is no message.
pub fn verify(given: &Given, input: &Json, now: Timestamp) -> Result<Json> {
    let invalid = |cause: &str| Error::new(Kind::Invalid, &PACK_INVALID, cause.to_owned());
    let Some((spec, check, canonical)) =
        given.pack.webhook.as_ref().and_then(|spec| Some((spec, spec.check.as_ref()?, spec.canonical.as_ref()?)))
    else {
        return Err(invalid("the pack does not say how its messages are signed"));
    };
    let (Some(headers), Some(body)) = (input["headers"].as_object(), input["body"].as_str()) else {
        return Err(invalid("a message is a map of `headers` and the text of its `body`")
            .hint("`--input '{\"headers\": {\"stripe-signature\": \"t=…,v1=…\"}, \"body\": \"…\"}'`"));
    };
    let headers: Map<String, Json> =
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let url = input["url"].as_str().unwrap_or_default();
    let parsed = url::Url::parse(url).ok();
    let request = json!({
        "method": input["method"].as_str().unwrap_or("POST"),
        "url": url,
        "host": parsed.as_ref().and_then(url::Url::host_str),
        "path": parsed.as_ref().map(url::Url::path),
        "query": parsed.as_ref().and_then(url::Url::query).unwrap_or_default(),
        "headers": headers,
        "body": body,
    });
    let arena = Arena::new();
    let scope = given.scope(&arena, now).with(Name::Request, from_json(&request, &arena));
    let refused = |cause: &str| Error::new(Kind::Denied, &WEBHOOK_REFUSED, cause.to_owned());
    // What cannot be read of a message is not the pack's fault: anybody may send anything.
    let read = |of: &'static Template, scope: &Scope<'_>| of.value(scope).ok().and_then(|value| to_json(&value));
    let signed_at = match &check.time {
        None => None,
        Some(time) => {
            let ms = read(time, &scope).as_ref().and_then(milliseconds);
            Some(ms.ok_or_else(|| refused("the message does not say when it was signed"))?)
        }
    };
    if let Some(ms) = signed_at {
        let apart = (i128::from(now.seconds) * 1000 - i128::from(ms)).unsigned_abs();
        if apart > check.tolerance.as_millis() {
            return Err(refused("the message was signed too long ago, or not yet")
                .fact("apart", format!("{} s", apart / 1000))
                .hint("an old message that is sent again is refused so; look at the clock of this machine, too"));
        }
    }
    let fresh = signed_at.map_or(Json::Null, |ms| json!({ "unix": ms.div_euclid(1000), "unix_ms": ms }));
    let scope = scope.with(Name::Fresh, from_json(&fresh, &arena));
    let text = canonical.text(&scope).map_err(|_| refused("the message lacks what is signed of it"))?;
    let given_signatures = match read(&check.signatures, &scope) {
        Some(Json::Array(all)) => all.into_iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        Some(Json::String(one)) => vec![one],
        _ => Vec::new(),
    };
    if given_signatures.is_empty() {
        return Err(refused("the message is not signed"));
    }
    let mut keys = 0;
    for key in &check.keys {
        let key = zeroize::Zeroizing::new(key.text(&scope)?);
        if key.is_empty() {
            continue;
        }
        keys += 1;
        let mut right = false;
        for one in &given_signatures {
            right |= auth::shared_signature_is(spec.digest, (&key, spec.key_as), &text, (one, spec.encode))?;
        }
        if right {
            let at = signed_at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
            return Ok(json!({ "verified": true, "signed_at": at.map(|at| at.to_string()) }));
        }
    }
    match keys {
        0 => Err(invalid("the connector has no key of webhooks").hint("give it under `auth`, as the pack names it")),
        _ => Err(refused("the message is not from the system: its signature is another one")
            .hint("the body has to be the very bytes that came, and the key that of this endpoint")),
    }
}

/// The signature of a text, as the pack writes it.
///
/// # Errors
/// If the key is not written as the pack says.
pub fn signature(spec: &Webhook, key: &str, text: &str) -> Result<String> {
    auth::shared_signature(spec.digest, (key, spec.key_as), text, spec.encode)
}

/// A time in milliseconds since 1970: seconds, milliseconds, or text as in RFC 3339.
fn milliseconds(time: &Json) -> Option<i64> {
    let number = match time {
        Json::String(text) => match text.trim().parse::<i64>() {
            Ok(number) => number,
            Err(_) => return Some(text.trim().parse::<jiff::Timestamp>().ok()?.as_millisecond()),
        },
        other => other.as_i64()?,
    };
    // Seconds that far ahead are beyond the year 5000.
    if number.unsigned_abs() < 100_000_000_000 { number.checked_mul(1000) } else { Some(number) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::pack::{PackProtocol, SHELF};
    use crate::connect::simulate::Messenger;

    use crate::config::{Shelf as _, Spanned};
    use crate::connect::pack::given::node;
    use crate::error::Place;

    fn given(pack: &str, secret: &str, key: &str) -> Given {
        let spec = SHELF.take(pack).unwrap();
        let pack = spec.plugin.and_then(|plugin| plugin.downcast_ref::<PackProtocol>()).unwrap().pack;
        let place = Place { file: String::new(), line: 1, column: 1, width: 1, source: String::new() };
        let name = Spanned { value: secret.to_owned(), place: place.clone() };
        let value = Spanned { value: node(&json!(key), &place), place };
        let connector = crate::config::Connector {
            spec: Some(spec),
            auth: vec![(name, value)],
            ..crate::connect::pack::tests::connector(&pack.name)
        };
        Given::new(pack, connector)
    }

    /// What the simulator sends is what is checked, for each pack that signs.
    #[test]
    fn what_a_system_sends_is_from_it_and_nothing_else_is() {
        const URL: &str = "https://hooks.example/in?tenant=1";
        for (pack, secret) in [("stripe", "webhook_secret"), ("hubspot", "client_secret"), ("shopify", "client_secret")]
        {
            let right = given(pack, secret, "whsec_made_up");
            assert!(known(right.pack), "{pack}");
            let change = json!({ "stream": "orders", "event": "create", "record": { "id": 7, "note": "é" } });
            let made = Messenger::new(right.pack, json!({}), "whsec_made_up".into()).message(&change, URL).unwrap();
            let headers: Map<String, Json> =
                made.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            let input = json!({ "headers": headers, "body": made.body, "url": URL });
            let now = jiff::Timestamp::now();
            let at = |seconds: i64| Timestamp { seconds: now.as_second() + seconds, nanos: 0, offset: 0 };
            let check = |given: &Given, input: &Json, seconds: i64| verify(given, input, at(seconds));
            assert_eq!(check(&right, &input, 0).unwrap()["verified"], true, "{pack}");
            let refused = |given: &Given, input: Json, seconds: i64, why: &str| {
                let error = check(given, &input, seconds).unwrap_err();
                assert_eq!(error.code().id, WEBHOOK_REFUSED.id, "{pack}: {error:?}");
                assert!(error.cause().contains(why), "{pack}: {error:?}");
            };
            let with = |name: &str, value: Json| {
                let mut other = input.clone();
                other[name] = value;
                other
            };
            refused(&given(pack, secret, "another"), input.clone(), 0, "another one");
            refused(&right, with("body", json!(format!("{} ", made.body))), 0, "another one");
            refused(
                &right,
                with("headers", json!({})),
                0,
                if pack == "shopify" { "not signed" } else { "does not say when" },
            );
            if pack != "shopify" {
                refused(&right, input.clone(), 301, "too long ago");
                refused(&right, input.clone(), -302, "not yet");
                assert!(check(&right, &input, 290).is_ok(), "{pack}");
            }
            let none = check(&given(pack, "other", "x"), &input, 0).unwrap_err();
            assert!(none.cause().contains("has no key of webhooks"), "{none:?}");
        }
    }

    #[test]
    fn times_are_seconds_milliseconds_or_text() {
        for (time, wanted) in [
            (json!(1_700_000_000), Some(1_700_000_000_000)),
            (json!("1700000000123"), Some(1_700_000_000_123)),
            (json!("2023-11-14T22:13:20Z"), Some(1_700_000_000_000)),
            (json!("yesterday"), None),
            (json!([]), None),
        ] {
            assert_eq!(milliseconds(&time), wanted, "{time}");
        }
    }
}
