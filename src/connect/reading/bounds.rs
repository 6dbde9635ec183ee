//! What stands between two values of a cursor: comparing them, going back from one, cutting time into
//! windows. Moments are counted by the clock on the wall of the cursor's zone; only "now" has to be
//! brought there.

use std::cmp::Ordering;

use crate::connect::pack::cursor::{Cursor, CursorType};
use crate::connect::rows::moment;
use crate::record::{Date, Decimal, Timestamp};

/// The order of two values; what cannot be read as the cursor's type compares as text.
pub(super) fn compare(kind: CursorType, one: &str, other: &str) -> Ordering {
    if one == other {
        return Ordering::Equal;
    }
    match kind {
        CursorType::Timestamp => match (moment::read(one), moment::read(other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => one.cmp(other),
        },
        CursorType::Unix | CursorType::UnixMs | CursorType::Number => {
            match (one.parse::<i64>(), other.parse::<i64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                _ => match (Decimal::parse(one), Decimal::parse(other)) {
                    (Ok(one), Ok(other)) => match one.sub(other) {
                        Ok(between) => between.mantissa().cmp(&0),
                        Err(_) => one.to_f64().total_cmp(&other.to_f64()),
                    },
                    _ => one.cmp(other),
                },
            }
        }
        CursorType::Date | CursorType::Text => one.cmp(other),
    }
}

/// Whether a value is one of this type.
pub(super) fn fits(kind: CursorType, value: &str) -> bool {
    match kind {
        CursorType::Timestamp => moment::read(value).is_some(),
        CursorType::Date => Date::parse(value).is_some(),
        CursorType::Unix | CursorType::UnixMs | CursorType::Number => Decimal::parse(value).is_ok(),
        CursorType::Text => true,
    }
}

/// A value so many seconds (or numbers) further; `None` if that cannot be said.
pub(super) fn shifted(cursor: &Cursor, value: &str, by: i64) -> Option<String> {
    match cursor.kind {
        CursorType::Timestamp => {
            let at = moment::read(value)?;
            moment::write_like(value, Timestamp { seconds: at.seconds.checked_add(by)?, ..at })
        }
        CursorType::Date => {
            let days = Date::parse(value)?.days.checked_add(i32::try_from(by.div_euclid(86_400)).ok()?)?;
            String::from_utf8(Date { days }.text().to_vec()).ok()
        }
        CursorType::Unix => Some(whole(value)?.checked_add(by)?.to_string()),
        CursorType::UnixMs => Some(whole(value)?.checked_add(by.checked_mul(1000)?)?.to_string()),
        CursorType::Number => match whole(value) {
            Some(number) => Some(number.checked_add(by)?.to_string()),
            None => {
                let mut out = Vec::new();
                Decimal::parse(value).ok()?.add(Decimal::from_i64(by)).ok()?.write(&mut out);
                String::from_utf8(out).ok()
            }
        },
        CursorType::Text => None,
    }
}

/// Now, as the cursor writes it, so many seconds ago; `like` is a value that is there.
pub(super) fn now(cursor: &Cursor, now: Timestamp, ago: u64, like: Option<&str>) -> Option<String> {
    let ago = i64::try_from(ago).ok()?;
    let seconds = now.seconds.checked_sub(ago)?;
    match cursor.kind {
        CursorType::Unix => Some(seconds.to_string()),
        CursorType::UnixMs => Some((seconds * 1000 + i64::from(now.nanos / 1_000_000)).to_string()),
        CursorType::Number | CursorType::Text => None,
        CursorType::Timestamp | CursorType::Date => {
            let offset = match &cursor.zone {
                Some(zone) => {
                    let at = jiff::Timestamp::from_second(seconds).ok()?;
                    i64::from(at.in_tz(zone).ok()?.offset().seconds())
                }
                None => 0,
            };
            if cursor.kind == CursorType::Date {
                let days = i32::try_from((seconds + offset).div_euclid(86_400)).ok()?;
                return String::from_utf8(Date { days }.text().to_vec()).ok();
            }
            let fits = |text: &&str| moment::read(text).is_some();
            let like = cursor.like.as_deref().or(like).filter(fits).unwrap_or("2024-12-31T23:59:59Z");
            // A text that names its zone is written in it; one that does not is on the wall clock.
            let names_zone = like.ends_with(['Z', 'z']) || like.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
            let seconds = if names_zone { seconds } else { seconds + offset };
            moment::write_like(like, Timestamp { seconds, nanos: now.nanos, offset: 0 })
        }
    }
}

/// Seconds between two values.
pub(super) fn distance(cursor: &Cursor, from: &str, to: &str) -> Option<i64> {
    match cursor.kind {
        CursorType::Timestamp => Some(moment::read(to)?.seconds - moment::read(from)?.seconds),
        CursorType::Date => Some(i64::from(Date::parse(to)?.days - Date::parse(from)?.days) * 86_400),
        CursorType::Unix => whole(to)?.checked_sub(whole(from)?),
        CursorType::UnixMs => Some(whole(to)?.checked_sub(whole(from)?)?.div_euclid(1000)),
        CursorType::Number | CursorType::Text => None,
    }
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(kind: CursorType, like: Option<&str>, zone: Option<&str>) -> Cursor {
        Cursor { kind, like: like.map(str::to_owned), zone: zone.map(str::to_owned), ..Cursor::default() }
    }

    #[test]
    fn values_are_compared_by_their_type() {
        use CursorType::{Number, Text, Timestamp, UnixMs};
        for (kind, less, more) in [
            (Timestamp, "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z"),
            (Timestamp, "2024-01-01T01:00:00+02:00", "2024-01-01T00:00:00Z"),
            (UnixMs, "999", "1000"),
            (Number, "9.5", "10"),
            (Number, "99999999999999999999", "100000000000000000000"),
            (Text, "10", "9"),
        ] {
            assert_eq!(compare(kind, less, more), Ordering::Less, "{less} {more}");
            assert_eq!(compare(kind, more, less), Ordering::Greater);
        }
    }

    #[test]
    fn values_are_shifted_in_their_own_form() {
        let check = |kind, value: &str, by, wanted: Option<&str>| {
            assert_eq!(shifted(&cursor(kind, None, None), value, by).as_deref(), wanted, "{value}");
        };
        check(CursorType::Timestamp, "2024-03-01 00:00:00", -60, Some("2024-02-29 23:59:00"));
        check(CursorType::Timestamp, "2024-03-01T00:00:00.250Z", 1, Some("2024-03-01T00:00:01.250Z"));
        check(CursorType::Date, "2024-03-01", -86_400, Some("2024-02-29"));
        check(CursorType::Unix, "100", -30, Some("70"));
        check(CursorType::UnixMs, "100000", 30, Some("130000"));
        check(CursorType::Number, "100", -1, Some("99"));
        check(CursorType::Number, "1.50", 1, Some("2.50"));
        check(CursorType::Text, "a", 1, None);
        check(CursorType::Timestamp, "yesterday", 1, None);
    }

    #[test]
    fn now_is_written_as_the_system_does() {
        let at = Timestamp { seconds: 1_720_000_000, nanos: 0, offset: 0 };
        let check = |cursor: &Cursor, wanted: &str| assert_eq!(now(cursor, at, 60, None).as_deref(), Some(wanted));
        check(&cursor(CursorType::Timestamp, None, None), "2024-07-03T09:45:40Z");
        check(&cursor(CursorType::Timestamp, Some("2020-01-01 00:00:00"), None), "2024-07-03 09:45:40");
        check(
            &cursor(CursorType::Timestamp, Some("2020-01-01 00:00:00"), Some("Europe/Berlin")),
            "2024-07-03 11:45:40",
        );
        check(
            &cursor(CursorType::Timestamp, Some("2020-01-01T00:00:00.000Z"), Some("Europe/Berlin")),
            "2024-07-03T09:45:40.000Z",
        );
        check(&cursor(CursorType::Date, None, Some("Pacific/Auckland")), "2024-07-03");
        check(&cursor(CursorType::UnixMs, None, None), "1719999940000");
    }
}
