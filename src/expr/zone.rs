//! Time zones, and formats of dates and times in the manner of `strftime`.
//!
//! UTC and fixed offsets are plain arithmetic; named zones are looked up once per zone.

use std::cell::RefCell;

use crate::record::{Date, Timestamp};

/// A time zone.
#[derive(Clone, Debug)]
pub enum Zone {
    /// A fixed offset from UTC in seconds.
    Fixed(i32),
    /// A zone of the IANA database.
    Named(jiff::tz::TimeZone),
}

/// Why a local time is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Clocks are put forward over it; with the moment that is as much later.
    Skipped(Timestamp),
    /// It lies outside of the years 1 to 9999.
    Range,
}

impl Zone {
    /// Reads `UTC`, `Z`, `+05:30`, `-02:30`, `02:00` or a name such as `Europe/Berlin`.
    pub fn parse(text: &str) -> Option<Self> {
        if matches!(text, "UTC" | "Z" | "z" | "utc" | "Etc/UTC" | "GMT") {
            return Some(Self::Fixed(0));
        }
        let (sign, rest) = match text.as_bytes() {
            [b'+', ..] => (1, &text[1..]),
            [b'-', ..] => (-1, &text[1..]),
            _ => (1, text),
        };
        if let [a, b, b':', c, d] = rest.as_bytes()
            && [a, b, c, d].iter().all(|x| x.is_ascii_digit())
        {
            let two = |x: &u8, y: &u8| i32::from(x - b'0') * 10 + i32::from(y - b'0');
            let (hours, minutes) = (two(a, b), two(c, d));
            return (hours < 24 && minutes < 60).then_some(Self::Fixed(sign * (hours * 3600 + minutes * 60)));
        }
        named(text).map(Self::Named)
    }

    /// The offset from UTC in seconds that holds at a moment.
    #[inline]
    pub fn offset(&self, moment: Timestamp) -> i32 {
        match self {
            Self::Fixed(seconds) => *seconds,
            Self::Named(zone) => {
                jiff::Timestamp::from_second(moment.seconds).map_or(0, |moment| zone.to_offset(moment).seconds())
            }
        }
    }
}

impl Zone {
    /// The moment of a local time, by date and second of the day. Where clocks are put back and it comes twice, the
    /// first.
    ///
    /// # Errors
    /// [`Gap`] if there is no such moment.
    pub fn moment(&self, date: Date, second: u32, nanos: u32) -> Result<Timestamp, Gap> {
        use jiff::tz::AmbiguousOffset as Found;
        let local = i64::from(date.days) * 86_400 + i64::from(second);
        let at = |offset: i32| {
            let moment = Timestamp::new(local - i64::from(offset), nanos).ok_or(Gap::Range)?;
            Ok(Timestamp { offset, ..moment })
        };
        let zone = match self {
            Self::Fixed(offset) => return at(*offset),
            Self::Named(zone) => zone,
        };
        let (year, month, day) = date.civil();
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let civil = jiff::civil::DateTime::new(
            i16::try_from(year).map_err(|_| Gap::Range)?,
            month as i8,
            day as i8,
            hour as i8,
            minute as i8,
            (second % 60) as i8,
            0,
        );
        match zone.to_ambiguous_timestamp(civil.map_err(|_| Gap::Range)?).offset() {
            Found::Unambiguous { offset } | Found::Fold { before: offset, .. } => at(offset.seconds()),
            Found::Gap { before, after } => {
                let skipped = at(before.seconds())?;
                Err(Gap::Skipped(Timestamp { offset: after.seconds(), ..skipped }))
            }
        }
    }

    /// As [`Zone::moment`], and where clocks skip a local time, as much later: what calendars do.
    pub fn moment_or_later(&self, date: Date, second: u32, nanos: u32) -> Option<Timestamp> {
        match self.moment(date, second, nanos) {
            Ok(moment) | Err(Gap::Skipped(moment)) => Some(moment),
            Err(Gap::Range) => None,
        }
    }
}

/// Zones that a text in the data named, so that the database is asked once per zone.
fn named(text: &str) -> Option<jiff::tz::TimeZone> {
    thread_local! {
        static KNOWN: RefCell<Vec<(String, jiff::tz::TimeZone)>> = const { RefCell::new(Vec::new()) };
    }
    KNOWN.with(|known| {
        if let Some((_, zone)) = known.borrow().iter().find(|(name, _)| name == text) {
            return Some(zone.clone());
        }
        let zone = jiff::tz::TimeZone::get(text).ok()?;
        let mut known = known.borrow_mut();
        if known.len() < 64 {
            known.push((text.to_string(), zone.clone()));
        }
        Some(zone)
    })
}

/// A piece of a format.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// A part of the moment, by its letter.
    Part(char),
    /// `%Y-%m-%d` in one piece.
    IsoDate,
}

/// The letters of a format, with their meaning.
pub const PARTS: &[(char, &str)] = &[
    ('Y', "year, four digits"),
    ('y', "year, last two digits"),
    ('m', "month 01-12"),
    ('d', "day 01-31"),
    ('e', "day 1-31, no padding"),
    ('H', "hour 00-23"),
    ('I', "hour 01-12"),
    ('M', "minute 00-59"),
    ('S', "second 00-59"),
    ('f', "fraction of the second, nine digits"),
    ('L', "milliseconds, three digits"),
    ('p', "AM or PM"),
    ('j', "day of the year 001-366"),
    ('a', "weekday, short"),
    ('A', "weekday"),
    ('b', "month, short"),
    ('B', "month by name"),
    ('u', "weekday 1-7, Monday first"),
    ('z', "offset +0100"),
    (':', "offset +01:00"),
    ('s', "seconds since 1970"),
    ('%', "a percent sign"),
];

/// Reads a format; the unknown letter if there is one.
pub fn parse_format(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("%Y-%m-%d").or_else(|| rest.strip_prefix("%F")) {
            flush(&mut plain, &mut pieces);
            pieces.push(Piece::IsoDate);
            rest = after;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        if character != '%' {
            plain.push(character);
            continue;
        }
        if let Some(after) = rest.strip_prefix('T') {
            rest = after;
            flush(&mut plain, &mut pieces);
            for (index, part) in ['H', 'M', 'S'].into_iter().enumerate() {
                if index > 0 {
                    pieces.push(Piece::Text(":".into()));
                }
                pieces.push(Piece::Part(part));
            }
            continue;
        }
        let Some(letter) = rest.chars().next() else { return Err("a `%` at the end".into()) };
        rest = &rest[letter.len_utf8()..];
        match letter {
            '%' => plain.push('%'),
            ':' => {
                rest = rest.strip_prefix('z').ok_or("`%:` without z")?;
                flush(&mut plain, &mut pieces);
                pieces.push(Piece::Part(':'));
            }
            _ if PARTS.iter().any(|(known, _)| *known == letter) => {
                flush(&mut plain, &mut pieces);
                pieces.push(Piece::Part(letter));
            }
            _ => return Err(format!("`%{}`", letter.escape_default())),
        }
    }
    flush(&mut plain, &mut pieces);
    Ok(pieces)
}

fn flush(plain: &mut String, pieces: &mut Vec<Piece>) {
    if !plain.is_empty() {
        pieces.push(Piece::Text(std::mem::take(plain)));
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The number of the month whose English name, whole or short, a text begins with, and the length of that.
pub fn month_named(text: &str) -> Option<(u32, usize)> {
    named_of(&MONTHS, text).map(|(index, length)| (index + 1, length))
}

/// The weekday whose English name, whole or short, a text begins with, 0 for Sunday, and the length of that.
pub fn weekday_named(text: &str) -> Option<(u32, usize)> {
    named_of(&DAYS, text)
}

fn named_of(names: &[&str], text: &str) -> Option<(u32, usize)> {
    names.iter().zip(0..).find_map(|(name, index)| {
        let begins =
            |length: usize| text.get(..length).is_some_and(|begin| begin.eq_ignore_ascii_case(&name[..length]));
        [name.len(), 3].into_iter().find(|length| begins(*length)).map(|length| (index, length))
    })
}

/// The most bytes a moment takes in a format.
pub fn longest(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.len() } else { 24 }).sum()
}

/// Writes a moment as it is at an offset from UTC in seconds.
pub fn write_format(moment: Timestamp, offset: i32, pieces: &[Piece], out: &mut bumpalo::collections::String<'_>) {
    let local = moment.seconds.saturating_add(i64::from(offset));
    let date = moment.date_at(offset);
    let day = local.rem_euclid(86_400) as u32;
    let (hour, minute, second) = (day / 3600, day / 60 % 60, day % 60);
    for piece in pieces {
        let letter = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
            Piece::IsoDate => {
                out.push_str(std::str::from_utf8(&date.text()).unwrap_or_default());
                continue;
            }
            Piece::Part(letter) => *letter,
        };
        let (year, month, of_month) = date.civil();
        let weekday = weekday(date);
        match letter {
            'Y' => digits(out, year.unsigned_abs(), 4),
            'y' => digits(out, year.unsigned_abs() % 100, 2),
            'm' => digits(out, month, 2),
            'd' => digits(out, of_month, 2),
            'e' => digits(out, of_month, 1),
            'H' => digits(out, hour, 2),
            'I' => digits(out, (hour + 11) % 12 + 1, 2),
            'M' => digits(out, minute, 2),
            'S' => digits(out, second, 2),
            'f' => digits(out, moment.nanos, 9),
            'L' => digits(out, moment.nanos / 1_000_000, 3),
            'p' => out.push_str(if hour < 12 { "AM" } else { "PM" }),
            'j' => digits(out, day_of_year(date) + 1, 3),
            'a' => out.push_str(&DAYS[weekday as usize % 7][..3]),
            'A' => out.push_str(DAYS[weekday as usize % 7]),
            'b' => out.push_str(&MONTHS[(month as usize + 11) % 12][..3]),
            'B' => out.push_str(MONTHS[(month as usize + 11) % 12]),
            'u' => digits(out, (weekday + 6) % 7 + 1, 1),
            'z' | ':' => {
                out.push(if offset < 0 { '-' } else { '+' });
                let minutes = offset.unsigned_abs() / 60;
                digits(out, minutes / 60, 2);
                if letter == ':' {
                    out.push(':');
                }
                digits(out, minutes % 60, 2);
            }
            _ => {
                use std::fmt::Write;
                let _ = write!(out, "{}", moment.seconds);
            }
        }
    }
}

fn digits(out: &mut bumpalo::collections::String<'_>, number: u32, width: usize) {
    let mut text = [b'0'; 10];
    let (mut at, mut rest) = (text.len(), number);
    while rest > 0 {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let start = at.min(text.len() - width.min(10));
    for byte in &text[start..] {
        out.push(char::from(*byte));
    }
}

/// 0 is Sunday.
pub fn weekday(date: Date) -> u32 {
    (date.days.rem_euclid(7) as u32 + 4) % 7
}

/// 0 is the first of January.
pub fn day_of_year(date: Date) -> u32 {
    let (year, _, _) = date.civil();
    Date::new(year, 1, 1).map_or(0, |first| (date.days - first.days).unsigned_abs())
}
