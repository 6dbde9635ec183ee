//! What `format` asks of a text. Formats are asserted: a contract that names one means it.

use crate::record::{Date, Timestamp};

/// A format that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 3339 `full-date`.
    Date,
    /// RFC 3339 `date-time`.
    DateTime,
    /// RFC 3339 `full-time`.
    Time,
    /// ISO 8601 `P1DT2H`.
    Duration,
    /// An address as RFC 5321 has it, without quoting.
    Email,
    /// RFC 9562, in its usual writing.
    Uuid,
    /// Four numbers.
    Ipv4,
    /// RFC 4291.
    Ipv6,
    /// RFC 1123.
    Hostname,
    /// RFC 3986, with a scheme.
    Uri,
}

impl Format {
    /// Those that are checked, by name.
    pub const NAMES: &[(&str, Self)] = &[
        ("date", Self::Date),
        ("date-time", Self::DateTime),
        ("time", Self::Time),
        ("duration", Self::Duration),
        ("email", Self::Email),
        ("uuid", Self::Uuid),
        ("ipv4", Self::Ipv4),
        ("ipv6", Self::Ipv6),
        ("hostname", Self::Hostname),
        ("uri", Self::Uri),
    ];

    /// Those that are known and not checked.
    pub const UNCHECKED: &[&str] = &[
        "idn-email",
        "idn-hostname",
        "iri",
        "iri-reference",
        "uri-reference",
        "uri-template",
        "json-pointer",
        "relative-json-pointer",
        "regex",
        // Of OpenAPI: said of numbers.
        "int32",
        "int64",
        "float",
        "double",
        "byte",
        "binary",
        "password",
    ];

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// Whether a text has it.
    pub fn holds(self, text: &str) -> bool {
        match self {
            Self::Date => Date::parse(text).is_some(),
            Self::DateTime => Timestamp::parse_rfc3339(text).is_some(),
            Self::Time => {
                // A time is what stands behind the date in a moment.
                let mut whole = [0_u8; 64];
                let long = 11 + text.len();
                text.is_ascii() && long <= whole.len() && {
                    whole[..11].copy_from_slice(b"1970-01-01T");
                    whole[11..long].copy_from_slice(text.as_bytes());
                    std::str::from_utf8(&whole[..long]).is_ok_and(|whole| Timestamp::parse_rfc3339(whole).is_some())
                }
            }
            Self::Duration => duration(text),
            Self::Email => email(text),
            Self::Uuid => {
                text.len() == 36
                    && text.bytes().enumerate().all(|(at, b)| match at {
                        8 | 13 | 18 | 23 => b == b'-',
                        _ => b.is_ascii_hexdigit(),
                    })
            }
            Self::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
            Self::Hostname => hostname(text),
            Self::Uri => uri(text),
        }
    }
}

fn email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let literal = || {
        let inner = domain.strip_prefix('[')?.strip_suffix(']')?;
        let six = inner.strip_prefix("IPv6:").is_some_and(|six| Format::Ipv6.holds(six));
        (six || Format::Ipv4.holds(inner)).then_some(())
    };
    local.len() <= 64
        && !local.is_empty()
        && local.chars().all(atom)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && (hostname(domain) || literal().is_some())
}

fn hostname(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut after = rest.bytes();
    let mut escapes_hold = true;
    while let Some(byte) = after.next() {
        match byte {
            b'%' => {
                escapes_hold &= [after.next(), after.next()].iter().all(|b| b.is_some_and(|b| b.is_ascii_hexdigit()))
            }
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => return false,
            byte if !byte.is_ascii_graphic() => return false,
            _ => {}
        }
    }
    escapes_hold
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// `P`, then whole numbers with units in their order; weeks stand alone.
fn duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    if let Some(weeks) = rest.strip_suffix('W') {
        return !weeks.is_empty() && weeks.bytes().all(|b| b.is_ascii_digit());
    }
    let (days, time) = match rest.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (rest, None),
    };
    // Units come in their order, each once, each behind digits.
    let part = |text: &str, units: &str| {
        let (mut left, mut digits) = (units, 0);
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits += 1;
                continue;
            }
            match left.find(c) {
                Some(at) if digits > 0 => left = &left[at + 1..],
                _ => return false,
            }
            digits = 0;
        }
        digits == 0
    };
    part(days, "YMD") && time.is_none_or(|time| !time.is_empty() && part(time, "HMS")) && !rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, good: &[&str], bad: &[&str]) {
        let format = Format::named(name).unwrap();
        assert_eq!(format.name(), name);
        for text in good {
            assert!(format.holds(text), "{name}: {text}");
        }
        for text in bad {
            assert!(!format.holds(text), "{name}: {text}");
        }
    }

    #[test]
    fn formats_mean_what_they_say() {
        check("date", &["2024-02-29"], &["2023-02-29", "2024-2-9", "2024-02-29T00:00:00Z", ""]);
        check("date-time", &["2024-02-29T12:00:00Z", "2024-02-29T12:00:00.5+02:00"], &["2024-02-29", "2024-02-29 12"]);
        check("time", &["12:00:00Z", "23:59:59.999-05:30"], &["12:00", "25:00:00Z", "", "12:00:00"]);
        check(
            "duration",
            &["P1D", "PT2H30M", "P3W", "P1Y2M3DT4H5M6S"],
            &["P", "PT", "1D", "P1", "PD", "P1DT", "P1M2Y"],
        );
        check(
            "email",
            &["a@b.example", "a.b+c@d", "x@[127.0.0.1]", "x@[IPv6:::1]"],
            &["a", "@b", "a@", "a..b@c", "a@b c", "a@-b"],
        );
        check(
            "uuid",
            &["2eb8aa08-aa98-11ea-b4aa-73b441d16380"],
            &["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g"],
        );
        check("ipv4", &["127.0.0.1"], &["127.0.0.256", "127.1", "0127.0.0.1"]);
        check("ipv6", &["::1", "1:2:3:4:5:6:7:8"], &["1:2", "::1%eth0"]);
        check("hostname", &["a.example", "a-b"], &["-a", "a_b", "", "a..b"]);
        check(
            "uri",
            &["https://a.example/x?y=%20", "urn:isbn:1"],
            &["/relative", "a b:c", "https://a/%zz", "https://a/ü", ""],
        );
    }
}
