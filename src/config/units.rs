//! Small literals with a unit: days, shares, time zones.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::error::nearest;

/// A percentage as millionths: `0.5` is 5,000. `None` if it is not between 0 and 100 or has more
/// than four decimals.
pub fn percent_to_ppm(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 4 || whole.len() > 3 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut ppm = whole.parse::<u32>().ok()? * 10_000;
    if !fraction.is_empty() {
        ppm += fraction.parse::<u32>().ok()? * 10_u32.pow(4 - fraction.len() as u32);
    }
    (ppm <= 1_000_000).then_some(ppm)
}

/// `400d`, `8w` or `2y` (of 365 days) as days.
///
/// # Errors
/// What is wrong, one sentence.
pub fn days(text: &str) -> Result<u32, String> {
    let factor = match text.chars().last() {
        Some('d') => 1,
        Some('w') => 7,
        Some('y') => 365,
        _ => return Err(format!("`{text}` is no duration in days: the unit is missing")),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{text}` is no duration in days"));
    }
    let days = digits.parse::<u32>().ok().and_then(|number| number.checked_mul(factor));
    match days {
        Some(days) if (1..=36_500).contains(&days) => Ok(days),
        _ => Err(format!("`{text}` is not between one day and a hundred years")),
    }
}

/// `2027-03-31` as a day.
///
/// # Errors
/// What is wrong, one sentence.
pub fn date(text: &str) -> Result<Date, String> {
    let wrong = || format!("`{text}` is no day such as `2027-03-31`");
    // The package reads more than that: times, short forms.
    if text.len() != 10 {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// `30s`, `5m`, `12h` or `2d`; `250ms` where less than a second makes sense.
///
/// # Errors
/// What is wrong, one sentence.
pub fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no length of time such as `30s`, `5m` or `12h`");
    if let Some(digits) = text.strip_suffix("ms").filter(|digits| !digits.is_empty() && digits.len() < 12) {
        return digits
            .parse::<u64>()
            .ok()
            .filter(|_| !digits.starts_with('+'))
            .map(Duration::from_millis)
            .ok_or_else(wrong);
    }
    let factor = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    seconds.filter(|seconds| *seconds < 1 << 40).map(Duration::from_secs).ok_or_else(wrong)
}

/// The time zone of an IANA name, by the rules of the system's own database where it has one: it
/// is kept up to date.
///
/// # Errors
/// What to do, where there is none of that name.
pub fn zone(text: &str) -> Result<TimeZone, String> {
    named(jiff::tz::db(), text).unwrap_or_else(|| Err(nearest_zone(text)))
}

/// Whether a time zone exists. The list in the program answers for all but the newest without
/// looking through the system's folders.
///
/// # Errors
/// As for [`zone`].
pub fn zone_exists(text: &str) -> Result<(), String> {
    named(&TimeZoneDatabase::bundled(), text).unwrap_or_else(|| zone(text)).map(|_| ())
}

fn named(database: &TimeZoneDatabase, text: &str) -> Option<Result<TimeZone, String>> {
    let found = database.get(text).ok()?;
    // The lookup forgives the case of letters; files that are passed on should not.
    Some(match found.iana_name() {
        Some(name) if name != text && name.eq_ignore_ascii_case(text) => Err(format!("did you mean `{name}`?")),
        _ => Ok(found),
    })
}

fn nearest_zone(text: &str) -> String {
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    match nearest(text, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "use a name of the IANA list such as `Europe/Berlin` or `UTC`".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        for (text, ppm) in [
            ("0", Some(0)),
            ("0.5", Some(5000)),
            ("100", Some(1_000_000)),
            ("0.0001", Some(1)),
            ("12.50000", Some(125_000)),
        ] {
            assert_eq!(percent_to_ppm(text), ppm);
        }
        for text in ["100.1", "-1", "0.00001", "1e2", "x", "101"] {
            assert_eq!(percent_to_ppm(text), None, "{text}");
        }
    }

    #[test]
    fn durations_in_days() {
        assert_eq!((days("400d"), days("2w"), days("7y")), (Ok(400), Ok(14), Ok(2555)));
        for text in ["", "d", "400", "12h", "1.5d", "0d", "99999999999d", "-1d", "4ö"] {
            assert!(days(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_of_the_calendar() {
        assert_eq!(date("2028-02-29").map(|day| day.to_string()), Ok("2028-02-29".into()));
        for text in ["", "2027-02-29", "2027-3-31", "31.03.2027", "2027-03-31T00:00", "20270331"] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn zones() {
        for name in ["Europe/Berlin", "UTC", "Asia/Kolkata"] {
            assert!(zone(name).is_ok() && zone_exists(name).is_ok(), "{name}");
        }
        assert_eq!(zone_exists("europe/berlin").unwrap_err(), "did you mean `Europe/Berlin`?");
        assert_eq!(zone_exists("Europe/Berln").unwrap_err(), "did you mean `Europe/Berlin`?");
        assert!(zone_exists("Mars").unwrap_err().starts_with("use a name"));
    }
}
