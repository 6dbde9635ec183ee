//! JSON web tokens (RFC 7519).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::skip;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub(super) static DETECTOR: Detector = Detector {
    name: "json_web_token",
    class: "secret.token",
    about: "JSON web tokens (RFC 7519): two or three parts in base64, the first a header that names an algorithm.",
    looks: &[Looks::Prefix { prefixes: || vec!["eyJ", "ewo"], check }],
    words: &["jwt", "token", "bearer", "authorization"],
    null_rate: 1.0e-06,
    shows: Shows::Nothing,
    finds: &[
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.",
    ],
    finds_if_named: &[],
    passes: &[
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "eyJzdWIiOiIxMjM0NTY3ODkwIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3",
        "eyJ.eyJ.x",
    ],
};

fn check(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let first = part(text, site.start);
    if first - site.start < 16 || text.get(first) != Some(&b'.') {
        return None;
    }
    let second = part(text, first + 1);
    if second - first < 8 || text.get(second) != Some(&b'.') {
        return None;
    }
    let end = part(text, second + 1);
    let mut header = [0; 512];
    let length = URL_SAFE.decode_slice(&text[site.start..first], &mut header).ok()?;
    let header = header[..length].trim_ascii();
    let names = header.first() == Some(&b'{') && memchr::memmem::find(header, b"\"alg\"").is_some();
    names.then_some(Found { start: site.start, end, grade: Grade::Certain })
}

fn part(text: &[u8], from: usize) -> usize {
    skip(text, from, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='))
}

const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
