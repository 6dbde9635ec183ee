//! Times as people give and read them.

use std::time::Duration;

use crate::error::{Error, Kind, Result, codes};

/// Nanoseconds since 1970 as RFC 3339 in UTC, to the millisecond.
pub(super) fn shown(nanoseconds: i64) -> String {
    match jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)) {
        Ok(moment) => format!("{moment:.3}"),
        Err(_) => nanoseconds.to_string(),
    }
}

/// A span for a person: `3 min`, `2.5 h`.
pub(super) fn span(seconds: f64) -> String {
    match seconds {
        s if s < 0.0 => "0 s".into(),
        s if s < 1.0 => format!("{:.0} ms", s * 1000.0),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

/// Reads a length of time: a whole number and `s`, `m`, `h` or `d`.
pub(super) fn length(text: &str) -> Result<Duration> {
    let wrong = || {
        Error::new(Kind::Invalid, &codes::cli::USAGE, format!("`{text}` is no length of time"))
            .hint("write a whole number and s, m, h or d, as in `36h`")
    };
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text.trim_end_matches(unit).parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).filter(|s| *s < 1 << 40).map(Duration::from_secs).ok_or_else(wrong)
}

/// Reads a moment as nanoseconds since 1970: RFC 3339, a date, or a length of time before now.
pub(super) fn past(text: &str, now_ns: i64) -> Result<i64> {
    if let Ok(back) = length(text) {
        return Ok(now_ns.saturating_sub(i64::try_from(back.as_nanos()).unwrap_or(i64::MAX)));
    }
    let moment = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let date = text.parse::<jiff::civil::Date>().ok()?;
        date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    });
    moment.and_then(|m| i64::try_from(m.as_nanosecond()).ok()).ok_or_else(|| {
        Error::new(Kind::Invalid, &codes::cli::USAGE, format!("`{text}` is no moment"))
            .hint("write `2025-01-31`, `2025-01-31T12:00:00Z` or `36h` for the last 36 hours")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_lengths() {
        let check =
            |text: &str, expected: Option<i64>| assert_eq!(past(text, 90_000_000_000_000).ok(), expected, "{text}");
        check("1970-01-02", Some(86_400_000_000_000));
        check("1970-01-01T00:00:01Z", Some(1_000_000_000));
        check("1h", Some(86_400_000_000_000));
        for wrong in ["", "h", "1", "-1h", "1w", "1.5h", "ä", "99999999999999999999d", "yesterday"] {
            check(wrong, None);
        }
        assert_eq!(
            [span(0.25), span(90.0), span(600.0), span(7200.0), span(200_000.0)].join(" "),
            "250 ms 90.0 s 10 min 2.0 h 2.3 d"
        );
        assert_eq!(shown(0), "1970-01-01T00:00:00.000Z");
    }
}
