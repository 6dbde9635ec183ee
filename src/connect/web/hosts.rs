//! Which hosts a connector calls, and which of them may see its sign-in.
//!
//! A pack's own host is the one of `transport.base`, as long as that is made of what the person who runs
//! it gave. An address that an answer named is called only if the pack lists its host; and only what
//! stands under `hosts` gets the sign-in.

use url::{Host, Url};

use crate::error::codes::connect::HOST_NOT_ALLOWED;
use crate::error::{Error, Kind, Result};

/// What may be sent to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Everything.
    Own,
    /// No sign-in, no headers or cookies of the pack.
    Foreign,
}

/// The hosts of one connector.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// The base: scheme, host, port.
    base: Option<(bool, String, u16)>,
    own: Vec<Pattern>,
    foreign: Vec<Pattern>,
}

/// `example.com`, `*.example.com`, either with `:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    host: String,
    below: bool,
    port: Option<u16>,
}

impl Pattern {
    /// Of a text; `None` if it is no pattern. A star may only stand for all below a name of at least
    /// two parts: `*.com` would be half of the world.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.contains(']') => (host, Some(port.parse().ok()?)),
            _ => (text.as_str(), None),
        };
        let (host, below) = match host.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (host, false),
        };
        if host.contains('*') || (below && !host.contains('.')) {
            return None;
        }
        let parsed = Host::parse(host).ok()?;
        Some(Self { host: parsed.to_string(), below, port })
    }

    /// Whether it names the host of an address.
    pub fn is_for(&self, url: &Url) -> bool {
        let usual = if url.scheme() == "http" { 80 } else { 443 };
        match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) => self.fits(host, port, usual),
            _ => false,
        }
    }

    fn fits(&self, host: &str, port: u16, usual: u16) -> bool {
        let named = match self.below {
            true => host.strip_suffix(self.host.as_str()).is_some_and(|above| above.ends_with('.')),
            false => host == self.host,
        };
        named && port == self.port.unwrap_or(usual)
    }
}

impl Hosts {
    /// Of a base and two lists of patterns.
    ///
    /// # Errors
    /// If a pattern is none.
    pub fn new(base: Option<&str>, own: &[String], foreign: &[String]) -> Result<Self> {
        let all = |list: &[String]| -> Result<Vec<Pattern>> {
            list.iter()
                .map(|text| {
                    Pattern::parse(text).ok_or_else(|| {
                        Error::new(Kind::Invalid, &HOST_NOT_ALLOWED, format!("`{text}` names no hosts"))
                            .hint("write `files.example.com`, `*.example.com` or either with `:8443`")
                    })
                })
                .collect()
        };
        let base = base
            .and_then(|base| Url::parse(base).ok())
            .and_then(|url| Some((url.scheme() == "https", url.host_str()?.to_owned(), url.port_or_known_default()?)));
        Ok(Self { base, own: all(own)?, foreign: all(foreign)? })
    }

    /// What may be sent to this address.
    ///
    /// # Errors
    /// [`HOST_NOT_ALLOWED`], naming the host.
    pub fn judge(&self, url: &Url) -> Result<Trust> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(refused(url, "only http and https are spoken")),
        };
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(refused(url, "it has no host"));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(url, "it holds a user or a password"));
        }
        if self.base.as_ref().is_some_and(|base| (base.0, base.1.as_str(), base.2) == (secure, host, port)) {
            return Ok(Trust::Own);
        }
        let usual = if secure { 443 } else { 80 };
        let trust = if self.own.iter().any(|pattern| pattern.fits(host, port, usual)) {
            Trust::Own
        } else if self.foreign.iter().any(|pattern| pattern.fits(host, port, usual)) {
            Trust::Foreign
        } else {
            return Err(refused(url, "the pack does not list its host"));
        };
        // Who calls a system in clear (a test server) may be led on in clear; nobody else.
        if !secure && self.base.as_ref().is_none_or(|base| base.0) {
            return Err(refused(url, "it is not secured by TLS"));
        }
        Ok(trust)
    }

    /// Whether an address is the base's own or listed as such.
    pub fn own(&self, url: &Url) -> bool {
        matches!(self.judge(url), Ok(Trust::Own))
    }
}

fn refused(url: &Url, why: &str) -> Error {
    let host = url.host_str().unwrap_or("nowhere");
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    Error::new(Kind::Refused, &HOST_NOT_ALLOWED, format!("an address leads to `{host}{port}`: {why}"))
        .hint("if the system belongs there, list the host under `transport.hosts`, or under `transport.foreign_hosts` to call it without the sign-in")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        let own = ["*.own.example", "eu.api.example:8443"].map(str::to_owned);
        let hosts = Hosts::new(Some("https://api.example/v1"), &own, &["files.example.net".to_owned()]).unwrap();
        let check = |address: &str, wanted: Option<Trust>| {
            assert_eq!(hosts.judge(&Url::parse(address).unwrap()).ok(), wanted, "{address}");
        };
        check("https://api.example/v2?x=1", Some(Trust::Own));
        check("https://API.example:443/", Some(Trust::Own));
        check("https://api.example:8443/", None);
        check("http://api.example/", None);
        check("https://a.own.example/", Some(Trust::Own));
        check("https://a.b.own.example/", Some(Trust::Own));
        check("https://own.example/", None);
        check("https://evilown.example/", None);
        check("https://eu.api.example:8443/", Some(Trust::Own));
        check("https://eu.api.example/", None);
        check("https://files.example.net/x", Some(Trust::Foreign));
        check("http://files.example.net/x", None);
        check("https://files.example.net.evil.example/", None);
        check("https://files.example.net@evil.example/", None);
        check("https://user:pw@api.example/", None);
        check("https://evil.example/", None);
        check("ftp://api.example/", None);
        check("file:///etc/passwd", None);
        check("https://169.254.169.254/latest", None);
    }

    #[test]
    fn a_test_server_in_clear_may_lead_on_in_clear() {
        let hosts = Hosts::new(Some("http://127.0.0.1:9000"), &[], &["127.0.0.1:9001".to_owned()]).unwrap();
        assert_eq!(hosts.judge(&Url::parse("http://127.0.0.1:9001/x").unwrap()).ok(), Some(Trust::Foreign));
        assert!(hosts.judge(&Url::parse("http://127.0.0.1:9002/x").unwrap()).is_err());
    }

    #[test]
    fn patterns_that_name_too_much_are_none() {
        for text in ["*.com", "*", "*.*.com", "", "a b", "x:port", "https://x.example"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
        assert!(Pattern::parse("[::1]:8080").is_some() && Pattern::parse("*.s3.amazonaws.com").is_some());
    }
}
