//! How the simulated system lets in: it gives tokens and sessions, and asks every other request for them.

use serde_json::{Value as Json, json};

use super::pattern::whole;
use super::place::{Made, text};
use super::routes::{Asked, TOKENS, entries, get, word};
use super::world::World;
use crate::config::yaml::Raw;
use crate::connect::pack::reader::scalar;

impl World {
    /// Why a request may not be made; `None`: it may.
    pub(super) fn unwelcome(&self, asked: &Asked, now: u64) -> Option<&'static str> {
        let ways = entries(&self.raw, "auth").iter().find(|entry| entry.key == "ways")?;
        let ways = ways.value.entries();
        let kinds: Vec<String> = ways.iter().filter_map(|way| word(&way.value, "kind")).collect();
        if kinds.is_empty() || kinds.iter().any(|kind| kind == "none") {
            return None;
        }
        let carried = asked.headers.iter().map(|(_, value)| value).chain(asked.query.iter().map(|(_, value)| value));
        for value in carried {
            let token = value.strip_prefix("Bearer ").unwrap_or(value);
            if let Some(end) = self.tokens.get(token) {
                return (now >= *end).then_some("the token has expired");
            }
            if token.starts_with("sim-token-") {
                return Some("the token was never given");
            }
        }
        // What is sent is not known to be right; that nothing is sent is wrong for sure.
        let mut names = vec!["authorization".to_owned(), "cookie".to_owned()];
        for send in ways.iter().filter_map(|way| get(&way.value, "send")) {
            let all: Vec<&Raw> = if send.items().is_empty() { vec![send] } else { send.items().iter().collect() };
            names.extend(
                all.iter().flat_map(|raw| raw.entries()).filter_map(|e| scalar(&e.value)).map(|n| n.to_lowercase()),
            );
        }
        let known = |name: &str| names.iter().any(|known| known == &name.to_lowercase());
        let sent = asked.headers.iter().any(|(name, _)| known(name)) || asked.query.iter().any(|(name, _)| known(name));
        let in_body = ways.iter().any(|way| {
            let send = get(&way.value, "send");
            send.is_some_and(|send| {
                get(send, "body").is_some() || send.items().iter().any(|raw| get(raw, "body").is_some())
            })
        });
        (!sent && !in_body).then_some("no credentials were sent")
    }

    fn give(&mut self, now: u64) -> String {
        let token = self.fresh("token");
        self.tokens.insert(token.clone(), now + self.setup.token_seconds);
        token
    }

    pub(super) fn token(&mut self, asked: &Asked, raw: &Raw, base: Made, now: u64, origin: &str) -> Made {
        let tree = asked.tree();
        let grant = tree.get("grant_type").map(text).unwrap_or_default();
        if let Some(old) = tree.get("refresh_token").map(text).filter(|_| grant == "refresh_token") {
            match self.refreshes.get_mut(&old) {
                // A refresh token that consign was given by hand is taken once, like the others.
                None if !old.starts_with("sim-") => {
                    self.refreshes.insert(old, true);
                }
                Some(used) if !*used => *used = true,
                _ => {
                    let body =
                        json!({ "error": "invalid_grant", "error_description": "the refresh token was used before" });
                    return Made::new(400, body);
                }
            }
        }
        let token = self.give(now);
        let mut made = base;
        made.status = 200;
        if !made.body.is_object() {
            made.body = json!({});
        }
        made.put("answer.body.access_token", Some(json!(token)));
        made.put("answer.body.token_type", Some(json!("Bearer")));
        made.put("answer.body.expires_in", Some(json!(self.setup.token_seconds)));
        if matches!(grant.as_str(), "refresh_token" | "authorization_code") || grant.ends_with("device_code") {
            let refresh = self.fresh("refresh");
            self.refreshes.insert(refresh.clone(), false);
            made.put("answer.body.refresh_token", Some(json!(refresh)));
        }
        self.captured(raw, &mut made, &token, origin);
        made
    }

    pub(super) fn authorize(&mut self, asked: &Asked) -> Made {
        let mut made = Made::new(302, Json::Null);
        let back = asked.parameter("redirect_uri").unwrap_or("http://127.0.0.1/").to_owned();
        let code = self.fresh("code");
        if let Ok(mut url) = url::Url::parse(&back) {
            url.query_pairs_mut()
                .append_pair("code", &code)
                .append_pair("state", asked.parameter("state").unwrap_or(""));
            made.header("location", url.to_string());
        }
        made
    }

    pub(super) fn session(&mut self, raw: &Raw, base: Made, now: u64, origin: &str) -> Made {
        let token = self.give(now);
        let mut made = base;
        if !made.body.is_object() {
            made.body = json!({});
        }
        if let Some(condition) = word(raw, "success") {
            made.fulfil(&condition, true);
        }
        if word(raw, "cookies").as_deref() == Some("true") {
            made.header("set-cookie", format!("simulated-session={token}"));
        }
        self.captured(raw, &mut made, &token, origin);
        made
    }

    /// Puts what is captured of an answer where it is looked for.
    fn captured(&self, raw: &Raw, made: &mut Made, token: &str, origin: &str) {
        for entry in entries(raw, "capture") {
            let Some(expression) = entry.value.text().and_then(whole) else { continue };
            let name = entry.key.to_lowercase();
            let value = match name.as_str() {
                "token" => json!(token),
                "expires_in" => json!(self.setup.token_seconds),
                "refresh_token" | "expires_at" => continue,
                _ if name.contains("endpoint") => json!(format!("{origin}{TOKENS}")),
                _ if name.contains("url") || name.contains("host") => json!(origin),
                _ => json!(format!("simulated-{name}")),
            };
            made.put(&expression, Some(value));
        }
    }
}
