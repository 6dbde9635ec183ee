//! `auth`: how to sign in. What a connector gives (`needs`), and ways of signing in with it (`ways`).
//!
//! A way says what it obtains and, with `send`, where each value goes; its kind never decides that.
//! [`crate::connect::auth`] does what is said here.

pub mod keys;
mod oauth2;
mod signing;

use std::time::Duration;

use crate::config::yaml::Raw;
use crate::config::{OptionKind, OptionSpec};
use crate::connect::web::Spot;
use crate::error::codes::connect::PACK_INVALID;
use crate::error::{Finding, Result};

use super::names::Scope;
use super::reader::Reader;
use super::request::RequestSpec;
use super::template::{Template, Tree};

pub use keys::{AUTH, HMACS};
pub use oauth2::{Assertion, ClientAuth, Grant, OAuth2};
pub use signing::{Coding, Digest, Hmac, OAuth1, Payload, SigV4};
pub(super) use signing::{coding, digest};

/// The option of a connector that chooses a way.
pub const WAY: &str = "way";

/// The section, read.
#[derive(Debug, Default)]
pub struct Auth {
    /// What a connector says under `auth`.
    pub needs: Vec<Need>,
    /// Ways of signing in, the usual one first.
    pub ways: Vec<Way>,
}

/// A value that a connector gives.
#[derive(Debug)]
pub struct Need {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// Whether it must be a reference.
    pub secret: bool,
    /// Whether it must be given in any way.
    pub required: bool,
    /// What holds where it is not given.
    pub default: Option<String>,
}

/// A way of signing in.
#[derive(Debug)]
pub struct Way {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// Names of `needs` that it cannot do without.
    pub needs: Vec<String>,
    /// What is done.
    pub kind: Kind,
    /// What each call carries.
    pub send: Vec<Send>,
    /// Requests before the first call.
    pub steps: Vec<Step>,
    /// The request that ends it.
    pub logout: Option<RequestSpec>,
    /// How long what was obtained holds where no answer says it.
    pub lifetime: Option<Duration>,
    /// How long before its end it is renewed.
    pub early: Duration,
    /// When it is obtained anew.
    pub renew: Renew,
    /// Whether it is kept in the state folder.
    pub kept: bool,
    /// The client certificate.
    pub certificate: Option<Template>,
    /// Its key.
    pub certificate_key: Option<Template>,
    /// Hosts that are shown it; empty: all.
    pub certificate_hosts: Vec<Template>,
}

/// What kind of way, with what only that kind has.
#[derive(Debug)]
pub enum Kind {
    /// Nothing.
    None,
    /// Values as they are.
    Key,
    /// User and password.
    Basic {
        /// The user.
        user: Template,
        /// The password; `None`: empty.
        password: Option<Template>,
    },
    /// A token that does not change.
    Bearer(Template),
    /// A token from an authorization server.
    OAuth2(Box<OAuth2>),
    /// A token made here.
    Jwt(Box<Assertion>),
    /// Steps alone.
    Session,
    /// AWS Signature Version 4.
    SigV4(Box<SigV4>),
    /// A shared key over a text.
    Hmac(Box<Hmac>),
    /// OAuth 1.0a.
    OAuth1(Box<OAuth1>),
}

impl Kind {
    /// The word for it in packs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Key => "key",
            Self::Basic { .. } => "basic",
            Self::Bearer(_) => "bearer",
            Self::OAuth2(_) => "oauth2",
            Self::Jwt(_) => "jwt",
            Self::Session => "session",
            Self::SigV4(_) => "sigv4",
            Self::Hmac(_) => "hmac",
            Self::OAuth1(_) => "oauth1",
        }
    }
}

/// When something is obtained anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renew {
    /// Before it ends, and when refused.
    Early,
    /// When refused.
    Refused,
    /// For each call.
    EachCall,
}

/// A value of a call.
#[derive(Debug)]
pub struct Send {
    /// Where it goes.
    pub to: Spot,
    /// The name of that place, where connectors choose it.
    pub name: Option<Template>,
    /// The value.
    pub value: Template,
    /// The condition.
    pub when: Option<Template>,
    /// Whether the value can differ from one call to the next.
    pub fresh: bool,
}

/// A request that belongs to signing in.
#[derive(Debug)]
pub struct Step {
    /// What it is called in messages.
    pub name: String,
    /// The request.
    pub request: RequestSpec,
    /// The condition.
    pub when: Option<Template>,
    /// Whether it carries what the way sends.
    pub signed: bool,
    /// Whether it comes before the token.
    pub before: bool,
    /// What the answer must fulfil.
    pub success: Option<Template>,
    /// What is kept of the answer.
    pub capture: Option<Tree>,
    /// Whether cookies are kept.
    pub cookies: bool,
}

impl Auth {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let Some(raw) = reader.get(pack, "auth") else { return Self::default() };
        let mut needs = Vec::new();
        for entry in reader.entries(raw, "needs") {
            let of = &entry.value;
            let secret = reader.flag(of, "secret").unwrap_or(true);
            let default = reader.label(of, "default");
            if entry.key == WAY {
                reader.error(of, format!("`{WAY}` chooses the way of signing in"), "give it another name");
            }
            if secret && default.is_some() {
                reader.error(
                    of,
                    format!("the secret `{}` has a default", entry.key),
                    "say `secret: false`, or remove it",
                );
            }
            needs.push(Need {
                name: entry.key.clone(),
                about: reader.label(of, "about").unwrap_or_default(),
                secret,
                required: reader.flag(of, "required").unwrap_or(false),
                default,
            });
        }
        let mut ways = Vec::new();
        for entry in reader.entries(raw, "ways") {
            for name in reader.items(&entry.value, "needs") {
                let said = name.text().unwrap_or_default();
                if !needs.iter().any(|need: &Need| need.name == said) {
                    let finding =
                        Finding::error(&PACK_INVALID, reader.place(name), format!("`auth.needs` has no `{said}`"));
                    let known = needs.iter().map(|need| need.name.as_str());
                    let finding = finding.did_you_mean(said, known);
                    reader.findings.push(finding);
                }
            }
            ways.extend(Way::read(reader, &entry.key, &entry.value));
        }
        Self { needs, ways }
    }

    /// The way of that name.
    pub fn way(&'static self, name: &str) -> Option<&'static Way> {
        self.ways.iter().find(|way| way.name == name)
    }

    /// As options of a kind of connector; they live as long as the process.
    pub fn options(&self) -> &'static [OptionSpec] {
        let leaked = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let mut specs: Vec<OptionSpec> = self
            .needs
            .iter()
            .map(|need| OptionSpec {
                name: leaked(&need.name),
                kind: OptionKind::Text,
                required: need.required,
                default: need.default.as_deref().map(|text| leaked(&format!("{text:?}"))),
                about: leaked(&need.about),
                secret: need.secret,
                stands_in: false,
            })
            .collect();
        if let Some(first) = self.ways.first() {
            let names: Vec<&'static str> = self.ways.iter().map(|way| leaked(&way.name)).collect();
            specs.push(OptionSpec {
                name: WAY,
                kind: OptionKind::Choice(Box::leak(names.into_boxed_slice())),
                required: false,
                default: Some(leaked(&format!("{:?}", first.name))),
                about: "The way of signing in.",
                secret: false,
                stands_in: false,
            });
        }
        Box::leak(specs.into_boxed_slice())
    }
}

impl Way {
    fn read(reader: &mut Reader<'_>, name: &str, raw: &Raw) -> Option<Self> {
        let word = reader.label(raw, "kind").unwrap_or_default();
        if !sound(reader, &word, raw) {
            return None;
        }
        let send: Vec<&Raw> = reader.items(raw, "send").collect();
        let send: Vec<Send> = match send.is_empty() {
            true => {
                keys::usual(&word).iter().filter_map(|(header, value)| Send::usual(reader, header, value)).collect()
            }
            false => send.into_iter().filter_map(|item| Send::read(reader, item)).collect(),
        };
        if keys::signs(&word)
            && let Some(item) =
                send.iter().find(|item| matches!(item.to, Spot::Path(_) | Spot::Form(_) | Spot::Body(_)))
        {
            let cause =
                format!("a way of kind `{word}` signs the finished request: {:?} cannot be changed then", item.to);
            reader.error(raw, cause, "send it as a `header`, in the `query` or as a `cookie`");
        }
        let steps: Vec<&Raw> = reader.items(raw, "steps").collect();
        let steps = steps.into_iter().enumerate().map(|(at, item)| Step::read(reader, at, item)).collect();
        let hosts: Vec<&Raw> = reader.items(raw, "certificate_hosts").collect();
        let hosts = hosts
            .into_iter()
            .filter_map(|of| Template::compile(of, reader.source, &reader.environment, reader.findings))
            .collect();
        let logout = reader.get(raw, "logout").map(|of| RequestSpec::read(reader, of));
        if reader.get(raw, "certificate").is_some() != reader.get(raw, "certificate_key").is_some() {
            reader.error(
                raw,
                "a client certificate goes with its key".into(),
                "say `certificate` and `certificate_key`",
            );
        }
        Some(Self {
            name: name.to_owned(),
            about: reader.label(raw, "about").unwrap_or_default(),
            needs: reader.labels(raw, "needs"),
            kind: Kind::read(reader, &word, raw)?,
            send,
            steps,
            logout,
            lifetime: reader.length(raw, "lifetime"),
            early: reader.length(raw, "early").unwrap_or(Duration::from_secs(60)),
            renew: match reader.label(raw, "renew").as_deref() {
                Some("refused") => Renew::Refused,
                Some("each_call") => Renew::EachCall,
                _ => Renew::Early,
            },
            kept: reader.flag(raw, "kept").unwrap_or(true),
            certificate: reader.template(raw, "certificate"),
            certificate_key: reader.template(raw, "certificate_key"),
            certificate_hosts: hosts,
        })
    }

    /// Whether something is obtained before the first call.
    pub fn obtains(&self) -> bool {
        matches!(self.kind, Kind::OAuth2(_) | Kind::Jwt(_)) || !self.steps.is_empty()
    }

    /// Whether a person has to sign in once: `connect login`.
    pub fn asks_a_person(&self) -> bool {
        matches!(&self.kind, Kind::OAuth2(oauth) if oauth.grant.asks_a_person())
    }
}

/// Whether the keys of a way are those of its kind.
fn sound(reader: &mut Reader<'_>, word: &str, raw: &Raw) -> bool {
    let (must, may) = keys::of_kind(word);
    let obtains = matches!(word, "oauth2" | "jwt") || reader.get(raw, "steps").is_some();
    let before = reader.findings.len();
    for name in must {
        if reader.get(raw, name).is_none() {
            reader.error(raw, format!("a way of kind `{word}` says `{name}`"), "add it");
        }
    }
    for entry in raw.entries() {
        let key = entry.key.as_str();
        let known = keys::COMMON.contains(&key)
            || must.contains(&key)
            || may.contains(&key)
            || (obtains && keys::OBTAINING.contains(&key));
        if !known {
            let place = reader.source.place(entry.start, entry.end);
            let cause = match keys::OBTAINING.contains(&key) {
                true => format!("`{key}` is for ways that obtain something, and this one does not"),
                false => format!("a way of kind `{word}` has no `{key}`"),
            };
            reader
                .findings
                .push(Finding::error(&PACK_INVALID, place, cause).fix("remove it, or choose another `kind`"));
        }
    }
    reader.findings.len() == before
}

impl Send {
    /// Where it goes, its name rendered.
    ///
    /// # Errors
    /// If the name has no value.
    pub fn place(&'static self, scope: &Scope<'_>) -> Result<Spot> {
        let Some(name) = &self.name else { return Ok(self.to.clone()) };
        let name = name.text(scope)?;
        Ok(match &self.to {
            Spot::Query(_) => Spot::Query(name),
            Spot::Cookie(_) => Spot::Cookie(name),
            _ => Spot::Header(name),
        })
    }

    fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        let mut place = raw.clone();
        if let crate::config::yaml::RawKind::Map { entries, .. } = &mut place.kind {
            entries.retain(|entry| !matches!(entry.key.as_str(), "value" | "when"));
        }
        let to = reader.spot_of(&place);
        let chosen = ["header", "query", "cookie"]
            .into_iter()
            .find(|key| reader.label(raw, key).is_some_and(|name| name.contains("{{")));
        let name = chosen.and_then(|key| reader.template(raw, key));
        let value = reader.template(raw, "value");
        let when = reader.expression(raw, "when");
        let text = reader.label(raw, "value").unwrap_or_default();
        let fresh = ["fresh", "request", "now"].iter().any(|name| text.contains(name));
        Some(Self { to: to?, name, value: value?, when, fresh })
    }

    /// What is usual for a kind.
    fn usual(reader: &mut Reader<'_>, header: &str, value: &str) -> Option<Self> {
        let source = crate::config::Source::new("what is usual for the kind", format!("{value:?}"));
        let raw = crate::config::yaml::parse(&source, reader.findings)?;
        let value = Template::compile(&raw, &source, &reader.environment, reader.findings)?;
        Some(Self { to: Spot::Header(header.to_owned()), name: None, value, when: None, fresh: false })
    }
}

impl Step {
    fn read(reader: &mut Reader<'_>, at: usize, raw: &Raw) -> Self {
        Self {
            name: reader.label(raw, "name").unwrap_or_else(|| format!("step {}", at + 1)),
            request: RequestSpec::read(reader, raw),
            when: reader.expression(raw, "when"),
            signed: reader.flag(raw, "signed").unwrap_or(false),
            before: reader.flag(raw, "before").unwrap_or(false),
            success: reader.expression(raw, "success"),
            capture: reader.tree(raw, "capture"),
            cookies: reader.flag(raw, "cookies").unwrap_or(false),
        }
    }
}

impl Kind {
    fn read(reader: &mut Reader<'_>, word: &str, raw: &Raw) -> Option<Self> {
        Some(match word {
            "key" => Self::Key,
            "basic" => Self::Basic { user: reader.template(raw, "user")?, password: reader.template(raw, "password") },
            "bearer" => Self::Bearer(reader.template(raw, "token")?),
            "oauth2" => Self::OAuth2(Box::new(OAuth2::read(reader, raw)?)),
            "jwt" => Self::Jwt(Box::new(Assertion::read(reader, raw)?)),
            "session" => Self::Session,
            "sigv4" => Self::SigV4(Box::new(SigV4::read(reader, raw)?)),
            "hmac" => Self::Hmac(Box::new(Hmac::read(reader, raw)?)),
            "oauth1" => Self::OAuth1(Box::new(OAuth1::read(reader, raw)?)),
            _ => Self::None,
        })
    }
}

/// The names under `needs`, before anything is compiled.
pub fn names(pack: &Raw) -> Vec<String> {
    let below = |raw: &Raw, name: &str| raw.entries().iter().find(|e| e.key == name).map(|e| e.value.clone());
    let needs = below(pack, "auth").and_then(|auth| below(&auth, "needs"));
    needs.iter().flat_map(Raw::entries).map(|entry| entry.key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;
    use crate::connect::pack::Pack;

    /// A pack with this under `auth`, and what is wrong with it.
    fn read(auth: &str) -> (Option<Pack>, Vec<String>) {
        let mut text = String::from("pack: probe_pack\nparams: { base: { default: 'https://api.example' } }\nauth:\n");
        for line in auth.lines() {
            text.push_str(&format!("  {line}\n"));
        }
        let source = Source::new("pack.yaml", text);
        let mut findings = Vec::new();
        let raw = crate::config::yaml::parse(&source, &mut findings).unwrap();
        let pack = Pack::read(&source, &raw, &mut findings);
        (pack, findings.into_iter().map(|finding| finding.cause).collect())
    }

    #[test]
    fn each_kind_can_be_said() {
        let each = [
            "kind: none",
            "kind: key\n    send: { header: X-Key, value: '{{ secrets.one }}' }",
            "kind: basic\n    user: '{{ secrets.one }}'",
            "kind: bearer\n    token: '{{ secrets.one }}'",
            "kind: oauth2\n    grant: client_credentials\n    token_url: '{{ params.base }}/token'\n    client_id: a\n    client_secret: '{{ secrets.one }}'",
            "kind: jwt\n    assertion: { algorithm: ES384, key: '{{ secrets.one }}', claims: { iss: me } }",
            "kind: session\n    steps: [{ method: POST, path: /login, capture: { token: '{{ answer.body.token }}' } }]\n    send: { cookie: sid, value: '{{ auth.token }}' }",
            "kind: sigv4\n    key_id: '{{ secrets.one }}'\n    key: '{{ secrets.one }}'\n    service: sqs\n    region: eu-west-1",
            "kind: hmac\n    key: '{{ secrets.one }}'\n    canonical: '{{ request.method }}'\n    send: { header: X-Signature, value: '{{ auth.signature }}' }",
            "kind: oauth1\n    key_id: '{{ secrets.one }}'\n    consumer_secret: '{{ secrets.one }}'",
        ];
        let mut seen = Vec::new();
        for text in each {
            let (pack, findings) =
                read(&format!("needs: {{ one: {{ required: true }} }}\nways:\n  usual:\n    {text}"));
            assert!(findings.is_empty(), "{text}: {findings:#?}");
            let auth = pack.unwrap().auth;
            seen.push(auth.ways[0].kind.word());
            assert_eq!(auth.options().len(), 2, "the need, and the choice of the way");
            assert_eq!(auth.ways[0].send.is_empty(), auth.ways[0].kind.word() == "none");
        }
        let known: Vec<&str> = keys::KINDS.iter().map(|word| word.name).collect();
        assert_eq!(seen, known, "one example for each kind, in their order");
    }

    #[test]
    fn what_does_not_go_together_is_found() {
        let check = |auth: &str, expected: &str| {
            let (pack, findings) = read(auth);
            assert!(pack.is_none(), "{auth}");
            assert!(findings.iter().any(|cause| cause.contains(expected)), "{auth}: {findings:#?}");
        };
        check("ways: { a: { kind: basic } }", "says `user`");
        check("ways: { a: { kind: bearer, token: x, region: y } }", "no `region`");
        check("ways: { a: { kind: bearer, token: x, renew: early } }", "obtain something");
        check("ways: { a: { kind: bearer, token: x, needs: [thing] } }", "no `thing`");
        check("needs: { way: {} }", "chooses the way");
        check("needs: { a: { default: x } }", "has a default");
        check("ways: { a: { kind: key, send: { header: X, query: y, value: z } } }", "one place");
        check("ways: { a: { kind: oauth2, grant: device_code, token_url: x } }", "says `device_url`");
        check("ways: { a: { kind: none, certificate: x } }", "goes with its key");
        check(
            "ways: { a: { kind: hmac, key: x, canonical: y, send: { form: s, value: z } } }",
            "cannot be changed then",
        );
        check("ways: { a: { kind: jwt, assertion: { key: x, claims: {} } } }", "what it is signed with");
    }
}
