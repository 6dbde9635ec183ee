//! How long a system asks to wait, and what it says is left of a quota: in every way it is written.
//!
//! `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3), elsewhere it is a fraction
//! or milliseconds; what `…-Reset` holds differs from vendor to vendor: seconds from now, the second or
//! millisecond since 1970, a date, a length of time such as `6m0s`. Numbers are told apart by their size.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// Longer waits are no waits: a year.
const MOST: f64 = 366.0 * 86_400.0;

/// A number from here on is the second since 1970, not a number of seconds (1973, and three years).
const EPOCH_SECONDS: f64 = 1e8;
/// From here on it is milliseconds, microseconds, nanoseconds.
const EPOCH_MILLIS: f64 = 1e11;
const EPOCH_MICROS: f64 = 1e14;
const EPOCH_NANOS: f64 = 1e17;

/// What a header family says of a quota.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quota {
    /// Units that are left.
    pub remaining: Option<f64>,
    /// Units there are when nothing is used.
    pub of: Option<f64>,
    /// In what time they are there again.
    pub reset: Option<Duration>,
}

/// The wait that a text stands for, from `now` (nanoseconds since 1970) on; nothing if it is past.
/// `None`: it is no time that can be understood.
pub fn parse(text: &str, now: i64) -> Option<Duration> {
    let text = text.trim().trim_matches('"').trim();
    if text.is_empty() || text.len() > 64 {
        return None;
    }
    if let Ok(number) = text.parse::<f64>() {
        // Rust reads `inf` and `nan`, too.
        return text
            .starts_with(|first: char| first.is_ascii_digit() || matches!(first, '.' | '-' | '+'))
            .then(|| {
                #[expect(clippy::cast_precision_loss, reason = "microseconds do not matter here")]
                let since = now as f64 / 1e9;
                match number {
                    at if at >= EPOCH_NANOS => at / 1e9 - since,
                    at if at >= EPOCH_MICROS => at / 1e6 - since,
                    at if at >= EPOCH_MILLIS => at / 1e3 - since,
                    at if at >= EPOCH_SECONDS => at - since,
                    length => length,
                }
            })
            .and_then(seconds);
    }
    if let Some(length) = length(text) {
        return Some(length);
    }
    let at = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))
        .or_else(|| {
            // A date and time without a zone is taken for UTC.
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })?;
    let left = at.as_nanosecond() - i128::from(now);
    if left <= 0 {
        return Some(Duration::ZERO);
    }
    u64::try_from(left).ok().map(Duration::from_nanos).filter(|wait| wait.as_secs_f64() <= MOST)
}

/// The wait that headers ask for, if they ask for one: `Retry-After` and its like alone.
pub fn retry_after(headers: &HeaderMap, now: i64) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        if let Some(wait) = text(name).and_then(|text| text.trim().parse::<f64>().ok()).and_then(|ms| seconds(ms / 1e3))
        {
            return Some(wait);
        }
    }
    ["retry-after", "x-retry-after"].iter().find_map(|name| parse(text(name)?, now))
}

/// The wait that an answer asks for when it says that too much was asked: `Retry-After`, else the time
/// at which a spent quota is there again.
pub fn throttled(headers: &HeaderMap, now: i64) -> Option<Duration> {
    retry_after(headers, now).or_else(|| quota(headers, now)?.reset)
}

/// What the usual headers say of the quota: the structured fields of the IETF draft (`RateLimit`), and
/// `RateLimit-…`, `X-RateLimit-…`, `X-Rate-Limit-…` with `Remaining`, `Limit` and `Reset`. Of several the
/// tightest counts.
pub fn quota(headers: &HeaderMap, now: i64) -> Option<Quota> {
    let mut plain: [Quota; 3] = Default::default();
    let mut found: Option<Quota> = None;
    for (name, value) in headers {
        let name = name.as_str();
        let (family, rest) = if let Some(rest) = name.strip_prefix("x-ratelimit") {
            (0, rest)
        } else if let Some(rest) = name.strip_prefix("ratelimit") {
            (1, rest)
        } else if let Some(rest) = name.strip_prefix("x-rate-limit") {
            (2, rest)
        } else {
            continue;
        };
        let Ok(text) = value.to_str() else { continue };
        let quota = &mut plain[family];
        match rest {
            "" if family == 1 => {
                for one in structured(text) {
                    found = Some(found.map_or(one, |known| tighter(known, one)));
                }
            }
            // `100, 100;w=60`: the first number is the one in force.
            "-limit" | "" => quota.of = first_number(text),
            "-remaining" => quota.remaining = first_number(text),
            "-reset" | "-reset-after" => quota.reset = parse(text, now),
            _ => {}
        }
    }
    plain
        .into_iter()
        .filter(|one| *one != Quota::default())
        .fold(found, |known, one| Some(known.map_or(one, |known| tighter(known, one))))
}

/// The one of which less is left; of two alike, the one that takes longer.
fn tighter(one: Quota, other: Quota) -> Quota {
    match (one.remaining, other.remaining) {
        (Some(a), Some(b)) if a < b => one,
        (Some(a), Some(b)) if b < a => other,
        (Some(_), None) => one,
        (None, Some(_)) => other,
        _ if one.reset >= other.reset => one,
        _ => other,
    }
}

/// `"default";r=50;t=30, "daily";r=900` of the later drafts; `limit=100, remaining=50, reset=5` of the
/// earlier ones.
fn structured(text: &str) -> Vec<Quota> {
    let value =
        |pair: &str, name: &str| pair.trim().strip_prefix(name)?.trim().strip_prefix('=').and_then(first_number);
    if text.contains("remaining") {
        let mut made = Quota::default();
        for pair in text.split([',', ';']) {
            made.of = value(pair, "limit").or(made.of);
            made.remaining = value(pair, "remaining").or(made.remaining);
            made.reset = value(pair, "reset").and_then(seconds).or(made.reset);
        }
        return vec![made];
    }
    text.split(',')
        .filter_map(|item| {
            let mut made = Quota::default();
            for pair in item.split(';').skip(1) {
                made.remaining = value(pair, "r").or(made.remaining);
                made.reset = value(pair, "t").and_then(seconds).or(made.reset);
            }
            made.remaining.map(|_| made)
        })
        .collect()
}

fn first_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn seconds(number: f64) -> Option<Duration> {
    if number.is_nan() {
        return None;
    }
    (number <= MOST).then(|| Duration::from_secs_f64(number.max(0.0)))
}

/// `6m0s`, `1h30m`, `250ms`, `1.5s`, `2d`; `PT30S` of ISO 8601.
fn length(text: &str) -> Option<Duration> {
    if text.starts_with(['P', 'p']) {
        let span: jiff::SignedDuration = text.parse().ok()?;
        return seconds(span.as_secs_f64());
    }
    let (mut total, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number
            * match rest[..unit].trim() {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
                "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
                "h" | "hour" | "hours" => 3600.0,
                "d" | "day" | "days" => 86_400.0,
                _ => return None,
            };
        rest = rest[unit..].trim_start();
    }
    seconds(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T20:00:00Z.
    const NOW: i64 = 1_795_291_200 * 1_000_000_000;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut made = HeaderMap::new();
        for (name, value) in pairs {
            let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            made.append(name, value.parse().unwrap());
        }
        made
    }

    #[test]
    fn every_way_to_write_a_wait_is_understood() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(parse(text, NOW), millis.map(Duration::from_millis), "{text}");
        };
        check("120", Some(120_000));
        check(" 0 ", Some(0));
        check("2.5", Some(2_500));
        check("-3", Some(0));
        check("1795291230", Some(30_000));
        check("1795291230.5", Some(30_500));
        check("1795291230500", Some(30_500));
        check("1795291200500000", Some(500));
        check("1795291000", Some(0));
        check("Sat, 21 Nov 2026 20:01:00 GMT", Some(60_000));
        check("Sat, 21 Nov 2026 19:00:00 GMT", Some(0));
        check("2026-11-21T20:00:10Z", Some(10_000));
        check("2026-11-21T21:00:10+01:00", Some(10_000));
        check("2026-11-21 20:00:10", Some(10_000));
        check("6m0s", Some(360_000));
        check("1h2m3.5s", Some(3_723_500));
        check("250ms", Some(250));
        check("17.2s", Some(17_200));
        check("2d", Some(172_800_000));
        check("30 seconds", Some(30_000));
        check("PT30S", Some(30_000));
        check("\"45\"", Some(45_000));
        for text in ["", "soon", "inf", "nan", "NaN", "1e400", "6m0x", "null", "9999-12-31T00:00:00Z", "--", "s"] {
            check(text, None);
        }
        check(&"9".repeat(400), None);
    }

    #[test]
    fn headers_that_ask_to_wait() {
        let check = |pairs: &[(&str, &str)], millis: Option<u64>| {
            assert_eq!(throttled(&headers(pairs), NOW), millis.map(Duration::from_millis), "{pairs:?}");
        };
        check(&[("Retry-After", "3")], Some(3_000));
        check(&[("retry-after", "2.0")], Some(2_000));
        check(&[("Retry-After", "Sat, 21 Nov 2026 20:00:07 GMT")], Some(7_000));
        check(&[("retry-after-ms", "1500"), ("retry-after", "2")], Some(1_500));
        check(&[("x-ms-retry-after-ms", "20")], Some(20));
        check(&[("RateLimit", "limit=100, remaining=0, reset=50")], Some(50_000));
        check(&[("RateLimit", "\"default\";r=0;t=12, \"daily\";r=900;t=3600")], Some(12_000));
        check(&[("RateLimit-Remaining", "0"), ("RateLimit-Reset", "9")], Some(9_000));
        check(&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1795291260")], Some(60_000));
        check(&[("X-RateLimit-Reset", "1795291201000")], Some(1_000));
        check(&[("X-Rate-Limit-Reset", "2026-11-21T20:00:05Z")], Some(5_000));
        check(&[("x-ratelimit-reset-after", "0.7")], Some(700));
        check(&[("Retry-After", "never")], None);
        check(&[], None);
    }

    #[test]
    fn of_several_quotas_the_tightest_counts() {
        let made = quota(
            &headers(&[
                ("X-RateLimit-Limit", "100, 100;w=60"),
                ("X-RateLimit-Remaining", "42"),
                ("RateLimit-Remaining", "7"),
                ("RateLimit-Limit", "10"),
                ("RateLimit-Reset", "3"),
            ]),
            NOW,
        );
        let wanted = Quota { remaining: Some(7.0), of: Some(10.0), reset: Some(Duration::from_secs(3)) };
        assert_eq!(made, Some(wanted));
        assert_eq!(quota(&headers(&[("x-other", "1")]), NOW), None);
    }
}
