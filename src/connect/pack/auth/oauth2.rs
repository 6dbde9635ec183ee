//! The ways `oauth2` and `jwt`: tokens that a server gives, and tokens that are signed here.

use std::time::Duration;

use crate::config::yaml::Raw;

use super::super::reader::Reader;
use super::super::template::{Template, Tree};

/// How a token is obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The client for itself.
    ClientCredentials,
    /// A person with a browser.
    AuthorizationCode,
    /// A person on another machine.
    DeviceCode,
    /// A refresh token that is given.
    RefreshToken,
    /// User and password.
    Password,
    /// A signed assertion.
    JwtBearer,
    /// A token of another issuer.
    TokenExchange,
}

impl Grant {
    /// Whether a person has to sign in once.
    pub fn asks_a_person(self) -> bool {
        matches!(self, Self::AuthorizationCode | Self::DeviceCode)
    }
}

/// How the client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// As user and password.
    Basic,
    /// As fields.
    Post,
    /// By a signed assertion.
    PrivateKeyJwt,
    /// Not, or by its certificate.
    None,
}

/// OAuth 2.0.
#[derive(Debug)]
pub struct OAuth2 {
    /// How a token is obtained.
    pub grant: Grant,
    /// Where.
    pub token_url: Template,
    /// Where a person signs in.
    pub authorize_url: Option<Template>,
    /// Where it is handed over beforehand what the person is asked for.
    pub push_url: Option<Template>,
    /// Where a device code is given.
    pub device_url: Option<Template>,
    /// Where tokens are revoked.
    pub revoke_url: Option<Template>,
    /// The client's id.
    pub client_id: Option<Template>,
    /// The client's secret.
    pub client_secret: Option<Template>,
    /// How the client shows who it is.
    pub client_auth: ClientAuth,
    /// A refresh token to begin with.
    pub refresh_token: Option<Template>,
    /// What is asked for.
    pub scope: Option<Template>,
    /// Further fields of token requests.
    pub parameters: Option<Tree>,
    /// Further parameters of the address that a person signs in at.
    pub authorize: Option<Tree>,
    /// Headers of token requests.
    pub headers: Option<Tree>,
    /// Whether token requests are written as JSON.
    pub json: bool,
    /// Where a browser comes back to.
    pub redirect: Option<Template>,
    /// The signed assertion.
    pub assertion: Option<Assertion>,
    /// The token of another issuer, and its type.
    pub subject_token: Option<(Template, Option<Template>)>,
    /// User and password.
    pub user: Option<(Template, Option<Template>)>,
    /// What is kept of the answer beside what is usual.
    pub capture: Option<Tree>,
}

/// A signed token.
#[derive(Debug)]
pub struct Assertion {
    /// What it is signed with, by name.
    pub algorithm: Template,
    /// The key.
    pub key: Template,
    /// Further fields of its header.
    pub header: Option<Tree>,
    /// Its claims.
    pub claims: Tree,
    /// How long it holds.
    pub lifetime: Duration,
    /// How far back its beginning is set.
    pub skew: Duration,
}

impl OAuth2 {
    pub(super) fn read(reader: &mut Reader<'_>, raw: &Raw) -> Option<Self> {
        let grant = match reader.label(raw, "grant").as_deref() {
            Some("authorization_code") => Grant::AuthorizationCode,
            Some("device_code") => Grant::DeviceCode,
            Some("refresh_token") => Grant::RefreshToken,
            Some("password") => Grant::Password,
            Some("jwt_bearer") => Grant::JwtBearer,
            Some("token_exchange") => Grant::TokenExchange,
            _ => Grant::ClientCredentials,
        };
        let client_auth = match reader.label(raw, "client_auth").as_deref() {
            Some("post") => ClientAuth::Post,
            Some("private_key_jwt") => ClientAuth::PrivateKeyJwt,
            Some("none") => ClientAuth::None,
            _ => ClientAuth::Basic,
        };
        let wanted: &[&str] = match grant {
            Grant::AuthorizationCode => &["authorize_url", "client_id"],
            Grant::DeviceCode => &["device_url", "client_id"],
            Grant::RefreshToken => &["refresh_token"],
            Grant::Password => &["user"],
            Grant::JwtBearer => &["assertion"],
            Grant::TokenExchange => &["subject_token"],
            Grant::ClientCredentials => &[],
        };
        let more: &[&str] = match client_auth {
            ClientAuth::PrivateKeyJwt => &["assertion"],
            ClientAuth::Post => &["client_id"],
            ClientAuth::Basic if grant == Grant::ClientCredentials => &["client_id", "client_secret"],
            _ => &[],
        };
        for name in wanted.iter().chain(more) {
            if reader.get(raw, name).is_none() {
                reader.error(raw, format!("this way of signing in says `{name}`"), "add it");
            }
        }
        let pair = |reader: &mut Reader<'_>, first: &str, second: &str| {
            let first = reader.template(raw, first)?;
            Some((first, reader.template(raw, second)))
        };
        Some(Self {
            grant,
            token_url: reader.template(raw, "token_url")?,
            authorize_url: reader.template(raw, "authorize_url"),
            push_url: reader.template(raw, "push_url"),
            device_url: reader.template(raw, "device_url"),
            revoke_url: reader.template(raw, "revoke_url"),
            client_id: reader.template(raw, "client_id"),
            client_secret: reader.template(raw, "client_secret"),
            client_auth,
            refresh_token: reader.template(raw, "refresh_token"),
            scope: reader.template(raw, "scope"),
            parameters: reader.tree(raw, "parameters"),
            authorize: reader.tree(raw, "authorize"),
            headers: reader.tree(raw, "headers"),
            json: reader.label(raw, "body_as").as_deref() == Some("json"),
            redirect: reader.template(raw, "redirect"),
            assertion: match reader.get(raw, "assertion") {
                Some(_) => Some(Assertion::read(reader, raw)?),
                None => None,
            },
            subject_token: pair(reader, "subject_token", "subject_token_type"),
            user: pair(reader, "user", "password"),
            capture: reader.tree(raw, "capture"),
        })
    }
}

impl Assertion {
    pub(super) fn read(reader: &mut Reader<'_>, way: &Raw) -> Option<Self> {
        let raw = reader.get(way, "assertion")?;
        let said = reader.get(raw, "algorithm").is_some();
        if said == reader.get(raw, "algorithm_from").is_some() {
            reader.error(
                raw,
                "a signed token says what it is signed with".into(),
                "say `algorithm` or `algorithm_from`",
            );
            return None;
        }
        Some(Self {
            algorithm: reader.template(raw, if said { "algorithm" } else { "algorithm_from" })?,
            key: reader.template(raw, "key")?,
            header: reader.tree(raw, "header"),
            claims: reader.tree(raw, "claims")?,
            lifetime: reader.length(raw, "lifetime").unwrap_or(Duration::from_secs(300)),
            skew: reader.length(raw, "skew").unwrap_or_default(),
        })
    }
}
