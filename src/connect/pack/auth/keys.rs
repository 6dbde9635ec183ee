//! The keys of `auth`: what a connector gives, and each way of signing in with it.
//!
//! One table holds the keys of all ways; [`of_kind`] says which of them a kind knows, so that a key in
//! the wrong place is a finding and not silence.

use crate::config::keys::{Key, Kind, Section, Word, word};
use crate::connect::pack::request;

/// The section.
pub static AUTH: Section = Section {
    name: "auth",
    about: "How to sign in.",
    foreign: false,
    keys: &[
        Key::new(
            "needs",
            Kind::Named(&Kind::Section(&NEED)),
            "What a connector says under `auth`, by name: `secrets.NAME` in templates.",
        ),
        Key::new(
            "ways",
            Kind::Named(&Kind::Section(&WAY)),
            "Ways of signing in, by name. The first one holds unless the connector says `auth: { way: NAME }`.",
        ),
    ],
};

/// One thing that is signed in with.
static NEED: Section = Section {
    name: "something to sign in with",
    about: "A value that the connector gives under `auth`.",
    foreign: false,
    keys: &[
        Key::new("about", Kind::Label, "One sentence."),
        Key::new("secret", Kind::Flag, "Whether it must be a reference.").default("true"),
        Key::new("required", Kind::Flag, "Whether it must be given, whatever way is chosen.").default("false"),
        Key::new("default", Kind::Label, "What holds where it is not given; not for secrets."),
    ],
};

/// The kinds of ways.
pub const KINDS: &[Word] = &[
    word("none", "Nothing is sent; a client certificate may still be shown."),
    word("key", "Values of the connector are sent as they are."),
    word("basic", "User and password (RFC 7617)."),
    word("bearer", "A token that does not change (RFC 6750)."),
    word("oauth2", "A token from an authorization server (RFC 6749)."),
    word("jwt", "A token that is made and signed here (RFC 7519)."),
    word("session", "Requests that sign in and capture what later calls carry: tokens, cookies."),
    word("sigv4", "AWS Signature Version 4: each call is signed."),
    word("hmac", "Each call is signed with a shared key, over a text that the pack describes."),
    word("oauth1", "OAuth 1.0a (RFC 5849): each call is signed."),
];

/// `grant`
pub const GRANTS: &[Word] = &[
    word("client_credentials", "The client signs in for itself."),
    word("authorization_code", "A person signs in with a browser, once: `consign connect login`. Always with PKCE."),
    word("device_code", "A person signs in on another machine, once (RFC 8628): `consign connect login`."),
    word("refresh_token", "A refresh token that the connector gives is changed for tokens."),
    word("password", "User and password are changed for a token; for systems that know nothing better."),
    word("jwt_bearer", "A signed assertion is changed for a token (RFC 7523)."),
    word("token_exchange", "A token of another issuer is changed for one (RFC 8693)."),
];

/// `client_auth`
pub const CLIENT_AUTHS: &[Word] = &[
    word("basic", "`client_id` and `client_secret` as user and password of the token request."),
    word("post", "`client_id` and `client_secret` as fields of the token request."),
    word("private_key_jwt", "A signed assertion as fields of the token request (RFC 7523)."),
    word("none", "`client_id` as a field, if there is one; for public clients and mutual TLS."),
];

/// `algorithm` of signed tokens.
pub const ALGORITHMS: &[Word] = &[
    word("RS256", "RSA with SHA-256."),
    word("RS384", "RSA with SHA-384."),
    word("RS512", "RSA with SHA-512."),
    word("PS256", "RSA-PSS with SHA-256."),
    word("PS384", "RSA-PSS with SHA-384."),
    word("PS512", "RSA-PSS with SHA-512."),
    word("ES256", "ECDSA over P-256."),
    word("ES384", "ECDSA over P-384."),
    word("EdDSA", "Ed25519."),
    word("HS256", "HMAC with SHA-256 under a shared key."),
    word("HS384", "HMAC with SHA-384 under a shared key."),
    word("HS512", "HMAC with SHA-512 under a shared key."),
];

/// What shared keys sign with.
pub const HMACS: &[Word] = &[
    word("sha1", "HMAC-SHA1."),
    word("sha256", "HMAC-SHA256."),
    word("sha384", "HMAC-SHA384."),
    word("sha512", "HMAC-SHA512."),
];

/// A way of signing in.
pub static WAY: Section = Section {
    name: "a way of signing in",
    about: "What is obtained first, and what each call carries. Which keys there are depends on `kind`.",
    foreign: false,
    keys: &[
        Key::new("kind", Kind::Word(KINDS), "What kind of sign-in it is.").required(),
        Key::new("about", Kind::Label, "One sentence: when to choose it."),
        Key::new("needs", Kind::List(&Kind::Label), "Names of `needs` that must be given for this way."),
        Key::new(
            "send",
            Kind::OneOrMany(&Kind::Section(&SEND)),
            "What each call carries, and where; left out, what is usual for the kind.",
        ),
        Key::new(
            "steps",
            Kind::List(&Kind::Section(&STEP)),
            "Requests that are made before the first call, in their order, once there is a token. What they capture is `auth.NAME`.",
        ),
        Key::new("logout", Kind::Section(&request::REQUEST), "The request that ends the session, or revokes the token."),
        Key::new(
            "capture",
            Kind::Record,
            "What is kept of the answer that grants a token, by name: `auth.NAME`. `token`, `refresh_token`, `expires_in` (seconds), `expires_at` (seconds since 1970, or a time) have a meaning; `answer.redirect` holds the parameters with which a browser came back.",
        ),
        Key::new(
            "lifetime",
            Kind::Length,
            "How long what was obtained holds where no answer says it; left out: until a call is refused.",
        ),
        Key::new("early", Kind::Length, "How long before its end it is renewed.").default("60s"),
        Key::new(
            "renew",
            Kind::Word(&[
                word("early", "Before it ends, and when a call is refused for it."),
                word("refused", "Only when a call is refused for it: a fault with `then: sign_in`, or status 401."),
                word("each_call", "For each call anew; nothing is kept."),
            ]),
            "When it is obtained anew.",
        )
        .default("early"),
        Key::new(
            "kept",
            Kind::Flag,
            "Whether what was obtained is kept encrypted in the state folder and shared by all runs; otherwise each run obtains its own.",
        )
        .default("true"),
        Key::new("certificate", Kind::Label, "A client certificate, PEM, with its chain (mutual TLS)."),
        Key::new("certificate_key", Kind::Label, "The private key of the certificate, PEM."),
        Key::new(
            "certificate_hosts",
            Kind::List(&Kind::Label),
            "Hosts that are shown the certificate; left out: all that are called.",
        ),
        // basic, and the password grant
        Key::new("user", Kind::Label, "The user's name."),
        Key::new("password", Kind::Label, "The password; may be empty."),
        // bearer, oauth1
        Key::new("token", Kind::Label, "The token."),
        // oauth2
        Key::new("grant", Kind::Word(GRANTS), "How a token is obtained."),
        Key::new("token_url", Kind::Label, "Where tokens are given."),
        Key::new("authorize_url", Kind::Label, "Where a person signs in with a browser."),
        Key::new(
            "push_url",
            Kind::Label,
            "Where it is handed over beforehand what the person is asked for (RFC 9126); the browser then carries a reference to it.",
        ),
        Key::new("device_url", Kind::Label, "Where a device code is given."),
        Key::new("revoke_url", Kind::Label, "Where `connect logout` revokes tokens (RFC 7009)."),
        Key::new("client_id", Kind::Label, "The client's id."),
        Key::new("client_secret", Kind::Label, "The client's secret."),
        Key::new("client_auth", Kind::Word(CLIENT_AUTHS), "How the client shows who it is.").default("basic"),
        Key::new("refresh_token", Kind::Label, "A refresh token to begin with, for systems that give one out by hand."),
        Key::new("scope", Kind::Label, "The scopes that are asked for, with spaces between."),
        Key::new("parameters", Kind::Record, "Further fields of every token request."),
        Key::new("authorize", Kind::Record, "Further parameters of the address that a person signs in at."),
        Key::new("headers", Kind::Record, "Headers of token requests."),
        Key::new(
            "body_as",
            Kind::Word(&[word("form", "As form fields, as the standard wants it."), word("json", "As JSON.")]),
            "How token requests are written.",
        )
        .default("form"),
        Key::new(
            "redirect",
            Kind::Label,
            "The address that a browser comes back to. With a port, that port is listened on; without one, a free one.",
        )
        .default("http://127.0.0.1/callback"),
        Key::new("assertion", Kind::Section(&ASSERTION), "The token that is made and signed here."),
        Key::new("subject_token", Kind::Label, "The token of another issuer."),
        Key::new("subject_token_type", Kind::Label, "What kind of token that is.")
            .default("urn:ietf:params:oauth:token-type:jwt"),
        // sigv4, hmac, oauth1
        Key::new("key", Kind::Label, "The shared key, or the secret access key."),
        Key::new(
            "key_as",
            Kind::Word(&[
                word("text", "Its bytes as they are."),
                word("base64", "Bytes in base64."),
                word("hex", "Bytes in hexadecimal."),
            ]),
            "How the shared key is written.",
        )
        .default("text"),
        Key::new("key_id", Kind::Label, "The access key id, or the consumer key."),
        Key::new("session_token", Kind::Label, "The token that goes with a temporary key."),
        Key::new("service", Kind::Label, "The service that is signed for."),
        Key::new("region", Kind::Label, "The region that is signed for."),
        Key::new(
            "payload",
            Kind::Word(&[
                word("signed", "The body's hash is signed."),
                word("hashed", "The body's hash is signed, and sent as a header as S3 wants it; the path is escaped once."),
                word("unsigned", "The body is not signed."),
            ]),
            "What is signed of the body.",
        )
        .default("signed"),
        Key::new(
            "canonical",
            Kind::Label,
            "The text that is signed; it sees `request` and `fresh`, the same values as what is sent.",
        ),
        Key::new(
            "algorithm",
            Kind::Word(HMACS),
            "What is signed with.",
        )
        .default("sha256"),
        Key::new(
            "encode",
            Kind::Word(&[
                word("hex", "Hexadecimal, small letters."),
                word("base64", "Base64."),
                word("base64url", "Base64 for addresses, without padding."),
            ]),
            "How the signature is written: `auth.signature`.",
        )
        .default("hex"),
        Key::new("token_secret", Kind::Label, "The secret that goes with the token."),
        Key::new("consumer_secret", Kind::Label, "The secret that goes with the consumer key."),
        Key::new("realm", Kind::Label, "The realm, for systems that want one."),
    ],
};

/// What a call carries.
static SEND: Section = Section {
    name: "a value to send",
    about: "A value and the one place it goes to.",
    foreign: false,
    keys: &[
        Key::new("header", Kind::Label, "A header of this name."),
        Key::new("query", Kind::Label, "A parameter of the query."),
        Key::new("path", Kind::Label, "`{name}` in the path."),
        Key::new("cookie", Kind::Label, "A cookie."),
        Key::new("form", Kind::Label, "A field of a form body."),
        Key::new("body", Kind::RecordPath, "A place in a JSON body."),
        Key::new("value", Kind::Label, "The value; `auth` holds what was obtained.").required(),
        Key::new(
            "when",
            Kind::Expression,
            "Sent only if this holds: `request.method`, `request.host`, `request.path`.",
        ),
    ],
};

/// A request that belongs to signing in.
static STEP: Section = Section {
    name: "a step of signing in",
    about: "One request, and what is kept of its answer.",
    foreign: false,
    keys: &[
        request::METHOD,
        request::PATH,
        request::URL,
        request::QUERY,
        request::HEADERS,
        request::BODY,
        request::BODY_AS,
        Key::new("name", Kind::Label, "What it is called in messages."),
        Key::new("when", Kind::Expression, "Made only if this holds."),
        Key::new(
            "signed",
            Kind::Flag,
            "Whether it carries what `send` says, as far as it is known by then (a user and password, a token).",
        )
        .default("false"),
        Key::new(
            "before",
            Kind::Flag,
            "Whether it is made before a token is asked for: it finds out where, as a server's metadata say.",
        )
        .default("false"),
        Key::new("success", Kind::Expression, "What `answer` must fulfil beside a status below 400."),
        Key::new("capture", Kind::Record, "What is kept of the answer, by name: `auth.NAME`."),
        Key::new("cookies", Kind::Flag, "Whether cookies that are set are kept, and sent with each call.")
            .default("false"),
    ],
};

/// A signed token.
static ASSERTION: Section = Section {
    name: "a signed token",
    about: "A JSON Web Token. `iat`, `exp` and `jti` are filled in unless `claims` says them.",
    foreign: false,
    keys: &[
        Key::new("algorithm", Kind::Word(ALGORITHMS), "What it is signed with."),
        Key::new(
            "algorithm_from",
            Kind::Label,
            "The same as a template, for connectors that choose: RS384 for one server, ES384 for another.",
        ),
        Key::new("key", Kind::Label, "The private key, PEM or JWK; for HS algorithms the shared key.").required(),
        Key::new(
            "header",
            Kind::Record,
            "Further fields of its header: `kid`, `x5t#S256`. `typ` is JWT, `alg` the algorithm.",
        ),
        Key::new("claims", Kind::Record, "Its claims: `iss`, `sub`, `aud`, `scope` and others.").required(),
        Key::new("lifetime", Kind::Length, "How long it holds.").default("5m"),
        Key::new("skew", Kind::Length, "How far back `iat` and `nbf` are set, for clocks that differ.").default("0s"),
    ],
};

/// Keys of every kind.
pub const COMMON: &[&str] =
    &["kind", "about", "needs", "send", "steps", "logout", "certificate", "certificate_key", "certificate_hosts"];

/// Keys of every way that obtains something first: by its kind, or by `steps`.
pub const OBTAINING: &[&str] = &["lifetime", "early", "renew", "kept"];

/// Keys of a kind beside the common ones: those that must be given, those that may.
pub fn of_kind(kind: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        "key" => (&["send"], &[]),
        "basic" => (&["user"], &["password"]),
        "bearer" => (&["token"], &[]),
        "oauth2" => (&["grant", "token_url"], OAUTH2),
        "jwt" => (&["assertion"], &[]),
        "session" => (&["steps", "send"], &[]),
        "sigv4" => (&["key_id", "key", "service", "region"], &["session_token", "payload"]),
        "hmac" => (&["key", "canonical", "send"], &["key_as", "algorithm", "encode"]),
        "oauth1" => (&["key_id", "consumer_secret"], &["token", "token_secret", "algorithm", "realm"]),
        _ => (&[], &[]),
    }
}

/// What each call carries where a way does not say it: headers with their values.
pub fn usual(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "basic" => &[("Authorization", "Basic {{ auth.credentials }}")],
        "bearer" | "oauth2" | "jwt" => &[("Authorization", "Bearer {{ auth.token }}")],
        "sigv4" | "oauth1" => &[("Authorization", "{{ auth.authorization }}")],
        _ => &[],
    }
}

/// Whether a kind signs the finished request, and sends what comes of it then.
pub fn signs(kind: &str) -> bool {
    matches!(kind, "sigv4" | "hmac" | "oauth1")
}

const OAUTH2: &[&str] = &[
    "authorize_url",
    "push_url",
    "device_url",
    "revoke_url",
    "client_id",
    "client_secret",
    "client_auth",
    "refresh_token",
    "scope",
    "parameters",
    "authorize",
    "headers",
    "body_as",
    "redirect",
    "assertion",
    "subject_token",
    "subject_token_type",
    "user",
    "password",
    "capture",
];
