//! What the network is told of a connector: how long to wait, whom to trust, who we are.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use url::Url;

use super::caller::moment;
use super::hosts::Pattern;
use super::net::Settings;
use crate::config::Secret;
use crate::connect::auth;
use crate::connect::http::Tls;
use crate::connect::pack::template::Template;
use crate::connect::pack::{Given, Scope};
use crate::error::{Error, Result};
use crate::record::Arena;

/// What the network is told of a connector.
pub(super) fn settings(given: &Arc<Given>) -> Result<Settings> {
    let arena = Arena::new();
    let scope = given.scope(&arena, moment(0));
    let transport = &given.pack.transport;
    let param = |name: &str| given.params().get(name);
    let mut timeouts = transport.timeouts;
    let seconds = param("timeout").and_then(|value| value.to_string().trim_matches('"').parse::<u64>().ok());
    if let Some(answer) = seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs) {
        timeouts.answer = answer;
        timeouts.whole = timeouts.whole.max(answer);
    }
    let authorities = match param("ca_file").and_then(Json::as_str) {
        Some(path) => Some(std::fs::read(path).map_err(|e| Error::io(format!("reading `{path}` (`ca_file`)"), e))?),
        None => None,
    };
    let base = transport.base.as_ref().and_then(|base| base.text(&scope).ok());
    let host = base.as_deref().and_then(|base| Url::parse(base).ok());
    let own = host.as_ref().and_then(|url| {
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        Some(format!("{}{port}", url.host_str()?))
    });
    let mut identities = Vec::new();
    let clock: auth::Clock = Arc::new(|| moment(crate::store::system_clock()()));
    if let Some(found) = auth::identity(given, &clock)? {
        let hosts = match found.hosts.is_empty() {
            true => texts(&transport.hosts, &scope)?.into_iter().chain(own.clone()).collect(),
            false => found.hosts,
        };
        let identity = Some((Secret::new(found.certificate), Secret::new(found.key.to_string())));
        let tls = Tls { authorities: authorities.clone(), identity, modern: transport.tls13 };
        identities.push((hosts.iter().filter_map(|text| Pattern::parse(text)).collect(), tls));
    }
    // In clear from beginning to end: then no authority has to be read.
    let clear = host.as_ref().is_some_and(|url| url.scheme() == "http") && authorities.is_none();
    Ok(Settings {
        timeouts,
        caps: transport.caps,
        tls: Tls { authorities, identity: None, modern: transport.tls13 },
        identities,
        secure: !clear,
    })
}

/// What templates come to, without those that come to nothing.
pub(super) fn texts(templates: &'static [Template], scope: &Scope<'_>) -> Result<Vec<String>> {
    let made: Result<Vec<String>> = templates.iter().map(|template| template.text(scope)).collect();
    Ok(made?.into_iter().filter(|text| !text.is_empty()).collect())
}
