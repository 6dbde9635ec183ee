//! Until when certificates hold: the one thing of a PEM file that a check has to know, read out of
//! the DER of RFC 5280 without anything else of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The earliest end of the certificates of a PEM text, nanoseconds since 1970; `None` if there is none, or
/// one of them cannot be read.
pub fn expires(pem: &str) -> Option<i64> {
    let mut earliest = None;
    let mut rest = pem;
    while let Some(at) = rest.find("-----BEGIN CERTIFICATE-----") {
        let body = &rest[at + 27..];
        let end = body.find("-----END CERTIFICATE-----")?;
        let text: String = body[..end].chars().filter(|c| !c.is_whitespace()).collect();
        let until = not_after(&STANDARD.decode(text).ok()?)?;
        earliest = Some(earliest.map_or(until, |other: i64| other.min(until)));
        rest = &body[end..];
    }
    earliest
}

/// `notAfter` of a certificate.
fn not_after(der: &[u8]) -> Option<i64> {
    let (_, certificate, _) = element(der)?;
    let (_, mut fields, _) = element(certificate)?;
    // version [0], serialNumber, signature, issuer, then validity.
    let mut skip = 3;
    loop {
        let (tag, content, rest) = element(fields)?;
        if tag == 0xa0 {
            fields = rest;
            continue;
        }
        if skip > 0 {
            (skip, fields) = (skip - 1, rest);
            continue;
        }
        let (_, _, after_begin) = element(content)?;
        let (tag, time, _) = element(after_begin)?;
        return moment(tag, std::str::from_utf8(time).ok()?);
    }
}

/// Tag, content and what follows of an element of DER.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || rest.len() < count {
            return None;
        }
        let (bytes, rest) = rest.split_at(count);
        (bytes.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    (length <= rest.len()).then(|| (tag, &rest[..length], &rest[length..]))
}

/// UTCTime (of 1950 to 2049) or GeneralizedTime, both in the form of RFC 5280: to the second, in `Z`.
fn moment(tag: u8, text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z')?;
    let whole = match (tag, digits.len()) {
        (0x17, 12) => format!("{}{digits}", if digits.get(..2)? < "50" { "20" } else { "19" }),
        (0x18, 14) => digits.to_owned(),
        _ => return None,
    };
    if !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    crate::comply::facts::read_moment(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl req -x509 -newkey ed25519 -days 3650 -subj /CN=t -nodes`.
    const PEM: &str = include_str!("../../tests/fixtures/standards/certificate.pem");

    #[test]
    fn the_end_is_read() {
        let until = expires(PEM).expect("an end");
        assert!(until > 1_700_000_000_000_000_000, "{until}");
        let twice = format!("{PEM}\n{PEM}");
        assert_eq!(expires(&twice), Some(until));
        assert_eq!(moment(0x17, "260131120000Z"), crate::comply::facts::read_moment("2026-01-31T12:00:00Z"));
        assert_eq!(moment(0x17, "991231235959Z"), crate::comply::facts::read_moment("1999-12-31T23:59:59Z"));
        assert_eq!(moment(0x18, "20501231235959Z"), crate::comply::facts::read_moment("2050-12-31T23:59:59Z"));
    }

    /// Cut or changed anywhere, it is read or refused, never more.
    #[test]
    fn hostile_certificates_are_refused() {
        assert_eq!(expires("no certificate"), None);
        assert_eq!(expires("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"), None);
        let body: String = PEM.lines().filter(|line| !line.starts_with("---")).collect();
        let der = STANDARD.decode(body).expect("base64");
        for cut in 0..der.len() {
            let _ = not_after(&der[..cut]);
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0xff;
            let _ = not_after(&changed);
        }
    }
}
