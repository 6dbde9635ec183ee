//! Cron expressions: when a route is due, in a time zone with daylight saving.
//!
//! Five fields as in POSIX `crontab`, with names, steps and `@daily` and its like. With both day
//! fields restricted either is enough, as every cron does it. A local time that daylight saving
//! skips is due once, at the end of the shift; one that comes twice is due once, the first time.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// A parsed cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day matches by either field (both restricted) instead of by both.
    either_day: bool,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronError {
    /// One sentence.
    pub cause: String,
    /// Byte of the text where the field at fault begins.
    pub at: usize,
    /// Bytes of the field.
    pub len: usize,
}

struct FieldSpec {
    name: &'static str,
    min: u32,
    max: u32,
    words: &'static [&'static str],
    first_word: u32,
}

const FIELDS: [FieldSpec; 5] = [
    FieldSpec { name: "minute", min: 0, max: 59, words: &[], first_word: 0 },
    FieldSpec { name: "hour", min: 0, max: 23, words: &[], first_word: 0 },
    FieldSpec { name: "day of month", min: 1, max: 31, words: &[], first_word: 0 },
    FieldSpec {
        name: "month",
        min: 1,
        max: 12,
        words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        first_word: 1,
    },
    FieldSpec {
        name: "day of week",
        min: 0,
        max: 7,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        first_word: 0,
    },
];

const SHORTHANDS: &[(&str, &str)] = &[
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// How far `next_after` and `previous_before` look: 29 February on a given weekday comes
/// again within 40 years at most (over 2100).
const YEARS: i16 = 41;

impl Cron {
    /// Reads five fields, or a shorthand such as `@daily`.
    ///
    /// # Errors
    /// The first field at fault, or the whole text if the fields are not five or no date matches.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let whole = |cause: String| CronError { cause, at: 0, len: text.len() };
        let trimmed = text.trim();
        if trimmed.starts_with('@') {
            return match SHORTHANDS.iter().find(|(name, _)| trimmed.eq_ignore_ascii_case(name)) {
                Some((_, fields)) => Self::parse(fields),
                None => Err(whole(format!(
                    "`{trimmed}` is no shorthand: there are @hourly, @daily, @weekly, @monthly, @yearly"
                ))),
            };
        }
        let words: Vec<(usize, &str)> =
            text.split_ascii_whitespace().map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word)).collect();
        if words.len() != FIELDS.len() {
            let count = words.len();
            return Err(whole(format!("a cron expression has five fields, this has {count}")));
        }
        let mut bits = [0_u64; 5];
        for ((slot, spec), (at, word)) in bits.iter_mut().zip(&FIELDS).zip(&words) {
            *slot = field(spec, word).map_err(|cause| CronError {
                cause: format!("{}: {cause}", spec.name),
                at: *at,
                len: word.len(),
            })?;
        }
        let [minutes, hours, days, months, weekdays] = bits;
        // 7 is Sunday too.
        let weekdays = (weekdays | (weekdays >> 7)) & 0x7f;
        let either_day = !words[2].1.starts_with('*') && !words[4].1.starts_with('*');
        let made = Self { minutes, hours, days, months, weekdays, either_day };
        let possible = either_day
            || (1..=12).any(|month| {
                made.months & (1 << month) != 0
                    && (1..=crate::record::time::days_in(2024, month)).any(|day| made.days & (1 << day) != 0)
            });
        if possible { Ok(made) } else { Err(whole("no month has such a day".into())) }
    }

    /// The first moment after this one at which it is due; `None` if none comes.
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = zone.to_datetime(after);
        // A local time before `start` on the clock can still lie after it: when the clock was
        // set back, and when a skipped time was moved to the shift's end.
        let mut date = start.date().yesterday().ok()?;
        let last = start.date().checked_add(i32::from(YEARS).years()).unwrap_or(Date::MAX);
        while date <= last {
            if self.matches_date(date) {
                let due =
                    self.times().map(|time| moment(date.to_datetime(time), zone)).filter(|due| *due > after).min();
                if due.is_some() {
                    return due;
                }
            }
            date = self.tomorrow(date)?;
        }
        None
    }

    /// The last moment before this one at which it was due; `None` if there was none.
    pub fn previous_before(&self, before: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = zone.to_datetime(before);
        let mut date = start.date().tomorrow().ok()?;
        let last = start.date().checked_sub(i32::from(YEARS).years()).unwrap_or(Date::MIN);
        while date >= last {
            if self.matches_date(date) {
                let due =
                    self.times().map(|time| moment(date.to_datetime(time), zone)).filter(|due| *due < before).max();
                if due.is_some() {
                    return due;
                }
            }
            date = date.yesterday().ok()?;
        }
        None
    }

    fn matches_date(&self, date: Date) -> bool {
        if self.months & (1 << date.month()) == 0 {
            return false;
        }
        let day = self.days & (1 << date.day()) != 0;
        let weekday = self.weekdays & (1 << date.weekday().to_sunday_zero_offset()) != 0;
        if self.either_day { day || weekday } else { day && weekday }
    }

    /// The next day, skipping over months that do not match.
    fn tomorrow(&self, date: Date) -> Option<Date> {
        let next = date.tomorrow().ok()?;
        if self.months & (1 << next.month()) != 0 {
            return Some(next);
        }
        next.last_of_month().tomorrow().ok()
    }

    fn times(&self) -> impl Iterator<Item = Time> {
        let (hours, minutes) = (self.hours, self.minutes);
        (0..24_i8)
            .filter(move |hour| hours & (1 << hour) != 0)
            .flat_map(move |hour| {
                (0..60_i8).filter(move |minute| minutes & (1 << minute) != 0).map(move |minute| (hour, minute))
            })
            .map(|(hour, minute)| Time::constant(hour, minute, 0, 0))
    }
}

/// The moment of a local time: a skipped one is the shift's end, a repeated one its first.
fn moment(local: DateTime, zone: &TimeZone) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    if let AmbiguousOffset::Gap { .. } = ambiguous.offset() {
        // The transition is the only one within a day of here that this local time can mean.
        let around = zone.to_ambiguous_timestamp(local).earlier().unwrap_or(Timestamp::MIN);
        let probe = around.checked_sub(36.hours()).unwrap_or(around);
        let shift =
            zone.following(probe).map(|transition| transition.timestamp()).find(|at| zone.to_datetime(*at) > local);
        if let Some(shift) = shift {
            return shift;
        }
    }
    ambiguous.compatible().unwrap_or(Timestamp::MAX)
}

/// The bits of one field.
fn field(spec: &FieldSpec, text: &str) -> Result<u64, String> {
    let mut bits = 0_u64;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            None => (part, None),
            Some((range, step)) => match step.parse::<u32>() {
                Ok(step) if (1..=spec.max).contains(&step) => (range, Some(step)),
                _ => return Err(format!("the step `{step}` is no number from 1 to {}", spec.max)),
            },
        };
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (spec.min, if spec.max == 7 { 6 } else { spec.max }),
            Some((low, high)) => (one(spec, low)?, one(spec, high)?),
            None => {
                let low = one(spec, range)?;
                (low, if step.is_some() { spec.max } else { low })
            }
        };
        if low > high {
            return Err(format!("the range `{range}` runs backwards"));
        }
        for value in (low..=high).step_by(step.unwrap_or(1) as usize) {
            bits |= 1 << value;
        }
    }
    Ok(bits)
}

fn one(spec: &FieldSpec, text: &str) -> Result<u32, String> {
    if let Some(index) = spec.words.iter().position(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(spec.first_word + index as u32);
    }
    let number =
        if text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<u32>().ok() } else { None };
    match number {
        Some(number) if (spec.min..=spec.max).contains(&number) => Ok(number),
        _ if text.is_empty() => Err("a number is missing".into()),
        _ => Err(format!("`{text}` is not between {} and {}", spec.min, spec.max)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let (cron, zone) = (Cron::parse(cron).unwrap(), TimeZone::get(zone).unwrap());
        let mut at: Timestamp = from.parse().unwrap();
        (0..count)
            .map(|_| {
                at = cron.next_after(at, &zone).unwrap();
                at.to_zoned(zone.clone()).strftime("%F %H:%M %:z").to_string()
            })
            .collect()
    }

    #[test]
    fn the_next_due_times() {
        for (cron, zone, from, expected) in [
            ("*/15 * * * *", "UTC", "2024-01-01T00:07:00Z", vec!["2024-01-01 00:15 +00:00", "2024-01-01 00:30 +00:00"]),
            ("0 9 * * mon-fri", "UTC", "2024-01-05T10:00:00Z", vec!["2024-01-08 09:00 +00:00"]),
            ("0 0 29 2 *", "UTC", "2024-03-01T00:00:00Z", vec!["2028-02-29 00:00 +00:00", "2032-02-29 00:00 +00:00"]),
            (
                "0 0 13 * 5",
                "UTC",
                "2024-09-01T00:00:00Z",
                vec!["2024-09-06 00:00 +00:00", "2024-09-13 00:00 +00:00", "2024-09-20 00:00 +00:00"],
            ),
            ("@daily", "Asia/Kolkata", "2024-01-01T00:00:00Z", vec!["2024-01-02 00:00 +05:30"]),
            ("0 0 * * 7", "UTC", "2024-01-01T00:00:00Z", vec!["2024-01-07 00:00 +00:00"]),
            // 02:30 does not exist on the last Sunday of March: once, at the shift's end.
            (
                "30 2 * * *",
                "Europe/Berlin",
                "2024-03-30T00:00:00Z",
                vec!["2024-03-30 02:30 +01:00", "2024-03-31 03:00 +02:00", "2024-04-01 02:30 +02:00"],
            ),
            // Every quarter of the skipped hour falls on one moment, and 03:00 as well.
            (
                "*/15 2-3 * * *",
                "Europe/Berlin",
                "2024-03-31T00:00:00Z",
                vec!["2024-03-31 03:00 +02:00", "2024-03-31 03:15 +02:00"],
            ),
            // 02:30 comes twice on the last Sunday of October: once, the first time.
            (
                "30 2 * * *",
                "Europe/Berlin",
                "2024-10-26T22:00:00Z",
                vec!["2024-10-27 02:30 +02:00", "2024-10-28 02:30 +01:00"],
            ),
            ("0 3 * * *", "Europe/Berlin", "2024-10-26T22:00:00Z", vec!["2024-10-27 03:00 +01:00"]),
            // Half an hour of shift, at the other end of the world.
            (
                "15 2 * * *",
                "Australia/Lord_Howe",
                "2024-10-05T10:00:00Z",
                vec!["2024-10-06 02:30 +11:00", "2024-10-07 02:15 +11:00"],
            ),
            // A whole day that was skipped.
            (
                "0 12 * * *",
                "Pacific/Apia",
                "2011-12-29T23:00:00Z",
                vec!["2011-12-31 00:00 +14:00", "2011-12-31 12:00 +14:00"],
            ),
        ] {
            assert_eq!(chain(cron, zone, from, expected.len()), expected, "{cron} {zone}");
        }
    }

    #[test]
    fn the_previous_is_the_inverse_of_the_next() {
        for (cron, zone) in
            [("30 2 * * *", "Europe/Berlin"), ("*/20 1-3 * * *", "America/New_York"), ("0 0 1 */3 *", "UTC")]
        {
            let (cron, zone) = (Cron::parse(cron).unwrap(), TimeZone::get(zone).unwrap());
            let mut at: Timestamp = "2024-03-01T00:00:00Z".parse().unwrap();
            for _ in 0..400 {
                let next = cron.next_after(at, &zone).unwrap();
                assert_eq!(cron.next_after(next.checked_sub(1.second()).unwrap(), &zone), Some(next));
                assert_eq!(cron.previous_before(next.checked_add(1.second()).unwrap(), &zone), Some(next));
                at = next;
            }
        }
    }

    #[test]
    fn faults_name_the_field() {
        for (text, cause, at) in [
            ("* * * *", "a cron expression has five fields, this has 4", 0),
            ("60 * * * *", "minute: `60` is not between 0 and 59", 0),
            ("0 24 * * *", "hour: `24` is not between 0 and 23", 2),
            ("0 0 0 * *", "day of month: `0` is not between 1 and 31", 4),
            ("0 0 * foo *", "month: `foo` is not between 1 and 12", 6),
            ("0 0 * * 5-1", "day of week: the range `5-1` runs backwards", 8),
            ("*/0 * * * *", "minute: the step `0` is no number from 1 to 59", 0),
            ("1,,2 * * * *", "minute: a number is missing", 0),
            ("0 0 31 2 *", "no month has such a day", 0),
            ("@reboot", "`@reboot` is no shorthand: there are @hourly, @daily, @weekly, @monthly, @yearly", 0),
            ("", "a cron expression has five fields, this has 0", 0),
        ] {
            let error = Cron::parse(text).unwrap_err();
            assert_eq!((error.cause.as_str(), error.at), (cause, at), "{text}");
        }
    }
}
