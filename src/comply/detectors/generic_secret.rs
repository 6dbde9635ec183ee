//! Secrets by their name.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::skip;

pub(super) static DETECTOR: Detector = Detector {
    name: "generic_secret",
    class: "secret",
    about: "Secrets by their name: `password=…`, `api_key: …`, `client_secret…`: what follows is long or random enough, and no placeholder.",
    looks: &[Looks::Mark { byte: b'=', check }, Looks::Mark { byte: b':', check }, Looks::Whole(whole)],
    words: &[
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "api key",
        "apikey",
        "access key",
        "secret key",
        "client secret",
        "auth token",
        "access token",
        "credential",
        "credentials",
        "passwort",
        "kennwort",
        "contraseña",
    ],
    null_rate: 1.0,
    shows: Shows::Nothing,
    finds: &[
        "password=Tr0ub4dor&3",
        "\"api_key\": \"9f86d081884c7d659a2feaa0c55ad015\"",
        "DB_PASSWORD: k8!fLq92vz",
        "client_secret = \"Zk39sLw0qP2mXv7B\"",
        "curl -H \"Authorization: Basic am9objpodW50ZXIy\" x",
    ],
    finds_if_named: &["hunter2"],
    passes: &[
        "password=${DB_PASSWORD}",
        "password: <your password>",
        "password=",
        "the password is: hidden",
        "token: none",
        "api_key = os.environ[\\\"KEY\\\"]",
        "password: ********",
        "password: changeme",
        "secret: true",
        "sort_key: created_at",
    ],
};

/// What a name of a secret ends with, and how random its values are.
const NAMES: &[(&[u8], Kind)] = &[
    (b"password", Kind::Chosen),
    (b"passwd", Kind::Chosen),
    (b"pwd", Kind::Chosen),
    (b"passphrase", Kind::Chosen),
    (b"passwort", Kind::Chosen),
    (b"kennwort", Kind::Chosen),
    (b"contrasena", Kind::Chosen),
    (b"secret", Kind::Made),
    (b"api_key", Kind::Made),
    (b"apikey", Kind::Made),
    (b"api-key", Kind::Made),
    (b"access_key", Kind::Made),
    (b"accesskey", Kind::Made),
    (b"secret_key", Kind::Made),
    (b"secretkey", Kind::Made),
    (b"private_key", Kind::Made),
    (b"auth_key", Kind::Made),
    (b"encryption_key", Kind::Made),
    (b"signing_key", Kind::Made),
    (b"token", Kind::Made),
    (b"credential", Kind::Made),
    (b"credentials", Kind::Made),
    (b"authorization", Kind::Header),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// By people: eight characters or more, of two kinds.
    Chosen,
    /// By machines: long and random.
    Made,
    /// In a header: behind the name of a scheme.
    Header,
}

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let (from, to) = site.word;
    // The name stands right before, or with a quote and spaces between.
    if to == from
        || site.start - to > 4
        || !text[to..site.start].iter().all(|byte| matches!(byte, b'"' | b'\'' | b' ' | b'\t' | b']' | b'`'))
    {
        return None;
    }
    let kind = kind(text, from, to)?;
    let start = skip(&text[..text.len().min(site.end + 8)], site.end, |byte| {
        matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'=' | b'>' | b':' | b'`')
    });
    let start = if kind == Kind::Header { behind_scheme(text, start) } else { start };
    let quote = text[site.end..start].iter().rev().find(|byte| matches!(byte, b'"' | b'\'' | b'`')).copied();
    let end = skip(&text[..text.len().min(start + 256)], start, |byte| match quote {
        Some(quote) => byte != quote && byte != b'\n',
        None => !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b';' | b'"' | b'\'' | b'&' | b'<' | b')' | b'}'),
    });
    let end = if quote.is_none() && kind == Kind::Chosen { chosen_end(text, start, end) } else { end };
    is_secret(&text[start..end], kind).then_some(Found { start, end, grade: Grade::Likely })
}

/// `Authorization: Basic …`: where what is secret begins.
fn behind_scheme(text: &[u8], start: usize) -> usize {
    let end = skip(text, start, |byte| byte.is_ascii_alphabetic() || byte == b'-');
    let known = [&b"basic"[..], b"bearer", b"token", b"api-token", b"apikey", b"digest"];
    let is_scheme =
        text.get(end) == Some(&b' ') && known.iter().any(|scheme| text[start..end].eq_ignore_ascii_case(scheme));
    if is_scheme { skip(text, end, |byte| byte == b' ') } else { start }
}

/// A password without quotes may hold an ampersand, if nothing like `name=` follows it.
fn chosen_end(text: &[u8], start: usize, end: usize) -> usize {
    if text.get(end) != Some(&b'&') || end == start {
        return end;
    }
    let more = skip(text, end + 1, |byte| !matches!(byte, b' ' | b'\n' | b'&' | b'"' | b'\'' | b'='));
    if text.get(more) == Some(&b'=') { end } else { more }
}

fn kind(text: &[u8], from: usize, to: usize) -> Option<Kind> {
    // Most words end otherwise.
    let last_two = [*text.get(to.checked_sub(2)?)? | 32, text[to - 1] | 32];
    if !matches!(&last_two, b"rd" | b"wd" | b"se" | b"rt" | b"na" | b"et" | b"ey" | b"en" | b"al" | b"ls" | b"on") {
        return None;
    }
    // A hyphen parts words: `api-key`.
    let name =
        if to - from == 3 && from >= 4 && text[from - 1] == b'-' { &text[from - 4..to] } else { &text[from..to] };
    let ends = |end: &[u8]| name.len() >= end.len() && name[name.len() - end.len()..].eq_ignore_ascii_case(end);
    NAMES.iter().find(|(end, _)| ends(end)).map(|(_, kind)| *kind)
}

/// Whatever stands in a field called so.
fn whole(text: &str) -> Option<Grade> {
    let bytes = text.as_bytes();
    let framed = |open: &[u8], close: &[u8]| bytes.starts_with(open) && bytes.ends_with(close);
    let refers =
        framed(b"${", b"}") || framed(b"{{", b"}}") || framed(b"<", b">") || framed(b"%", b"%") || framed(b"$(", b")");
    let hidden = refers || is_told(bytes) || text.len() < 4 || bytes.iter().all(|byte| matches!(byte, b'*' | b'x'));
    (!hidden && text.len() <= 4096).then_some(Grade::Weak)
}

fn is_secret(value: &[u8], kind: Kind) -> bool {
    let (mut kinds, mut seen) = (0, 0_u128);
    for byte in value {
        seen |= 1 << (byte & 127);
        kinds |= match byte {
            b'0'..=b'9' => 1,
            b'A'..=b'Z' => 2,
            b'a'..=b'z' => 4,
            b' ' => return false,
            _ => 8,
        };
    }
    let (different, several) = (seen.count_ones(), u32::count_ones(kinds) >= 2);
    let holds = match kind {
        Kind::Chosen => value.len() >= 8 && several && different >= 5,
        Kind::Header => value.len() >= 8 && different >= 6,
        Kind::Made => value.len() >= 12 && several && kinds & 1 != 0 && different >= 8,
    };
    holds && !is_placeholder(value)
}

/// What people write where a secret will stand, and what refers to one.
fn is_placeholder(value: &[u8]) -> bool {
    let first = value.first().copied().unwrap_or(b'*');
    let refers =
        matches!(first, b'$' | b'<' | b'{' | b'[' | b'(' | b'*' | b'%' | b'/' | b'.') || value.starts_with(b"env");
    refers || value.contains(&b'(') || is_told(value)
}

/// Words that people put for a secret.
fn is_told(value: &[u8]) -> bool {
    let words: [&[u8]; 14] = [
        b"example",
        b"changeme",
        b"change_me",
        b"placeholder",
        b"your_",
        b"your-",
        b"xxxx",
        b"****",
        b"process.env",
        b"os.environ",
        b"getenv",
        b"redacted",
        b"secretref",
        b"dummy",
    ];
    let has = |word: &&[u8]| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    words.iter().any(has) || matches!(value, b"null" | b"none" | b"true" | b"false" | b"undefined")
}
