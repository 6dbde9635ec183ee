//! Moments, dates and spans: plain numbers here; calendars and zones live with the functions.

use std::cmp::Ordering;

/// A moment in time and the offset from UTC it was written in. Two moments are equal when
/// they are the same instant, whatever the offset.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// Nanoseconds of that second, 0..=999_999_999.
    pub nanos: u32,
    /// Offset from UTC in seconds, as written.
    pub offset: i32,
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Timestamp {}
impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

/// A calendar date in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 1970-01-01.
    pub days: i32,
}

/// A span of time; sign in both parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    /// Whole seconds.
    pub seconds: i64,
    /// Nanoseconds, with the sign of the seconds.
    pub nanos: i32,
}

impl Date {
    /// The date of year, month (1..=12) and day (1..=31); `None` if there is no such day or
    /// the year lies outside 1..=9999.
    #[inline]
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
            return None;
        }
        // Days from civil, Howard Hinnant's algorithm: years begin in March.
        let y = i64::from(if month <= 2 { year - 1 } else { year });
        let era = y.div_euclid(400);
        let of_era = y.rem_euclid(400);
        let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
        let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Some(Self { days: (era * 146_097 + day_of_era - 719_468) as i32 })
    }

    /// Year, month and day.
    #[inline]
    pub fn civil(self) -> (i32, u32, u32) {
        let z = i64::from(self.days) + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        ((yoe + era * 400) as i32 + i32::from(month <= 2), month, day)
    }

    /// `YYYY-MM-DD`.
    #[inline]
    pub fn text(self) -> [u8; 10] {
        let (year, month, day) = self.civil();
        let digit = |n: u32| b'0' + (n % 10) as u8;
        let year = year.unsigned_abs();
        [
            digit(year / 1000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            b'-',
            digit(month / 10),
            digit(month),
            b'-',
            digit(day / 10),
            digit(day),
        ]
    }

    /// Appends `YYYY-MM-DD`.
    #[inline]
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.text());
    }

    /// Reads `YYYY-MM-DD`; `None` if it is none or there is no such day.
    pub fn parse(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
            return None;
        }
        let mut parts = [0_u32; 3];
        for (part, range) in parts.iter_mut().zip([0..4, 5..7, 8..10]) {
            for byte in &b[range] {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    return None;
                }
                *part = *part * 10 + u32::from(digit);
            }
        }
        Self::new(parts[0] as i32, parts[1], parts[2])
    }

    /// The moment its day begins in UTC.
    pub fn midnight(self) -> Timestamp {
        Timestamp { seconds: i64::from(self.days) * 86_400, nanos: 0, offset: 0 }
    }
}

/// How many days that month has.
#[inline]
pub fn days_in(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Timestamp {
    /// Reads RFC 3339 (`2024-02-29T12:00:00.5+02:00`; `T` or a space, `Z` or an offset).
    /// `None` if it is none, an offset is absent, or it lies outside the years 1..=9999.
    #[inline]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        if b.len() < 20
            || b[4] != b'-'
            || b[7] != b'-'
            || !matches!(b[10], b'T' | b't' | b' ')
            || b[13] != b':'
            || b[16] != b':'
        {
            return None;
        }
        let two = |at: usize| -> Option<u32> {
            let (x, y) = (b.get(at)?.wrapping_sub(b'0'), b.get(at + 1)?.wrapping_sub(b'0'));
            if x < 10 && y < 10 { Some(u32::from(x) * 10 + u32::from(y)) } else { None }
        };
        let date = Date::new((two(0)? * 100 + two(2)?) as i32, two(5)?, two(8)?)?;
        let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (mut at, mut nanos) = (19, 0_u32);
        if b[at] == b'.' {
            let (mut count, mut unit) = (0, 100_000_000);
            at += 1;
            while let Some(digit) = b.get(at).filter(|c| c.is_ascii_digit()) {
                nanos += u32::from(digit - b'0') * unit;
                unit /= 10;
                count += 1;
                at += 1;
            }
            if count == 0 || count > 9 {
                return None;
            }
        }
        let offset = match b.get(at)? {
            b'Z' | b'z' => {
                at += 1;
                0
            }
            sign @ (b'+' | b'-') => {
                let (hours, minutes) = (two(at + 1)?, two(at + 4)?);
                if b[at + 3] != b':' || hours > 23 || minutes > 59 {
                    return None;
                }
                at += 6;
                let seconds = (hours * 3600 + minutes * 60) as i32;
                if *sign == b'-' { -seconds } else { seconds }
            }
            _ => return None,
        };
        if at != b.len() {
            return None;
        }
        let local = i64::from(date.days) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
        Some(Self { seconds: local - i64::from(offset), nanos, offset })
    }

    /// The date at a given offset from UTC in seconds.
    #[inline]
    pub fn date_at(self, offset: i32) -> Date {
        Date { days: (self.seconds + i64::from(offset)).div_euclid(86_400) as i32 }
    }

    /// Appends RFC 3339 text in the offset it was written in; as many digits of the second
    /// as it has (0, 3, 6 or 9).
    pub fn write(self, out: &mut Vec<u8>) {
        let local = self.seconds + i64::from(self.offset);
        self.date_at(self.offset).write(out);
        let day = local.rem_euclid(86_400) as u32;
        let mut two =
            |separator: u8, n: u32| out.extend_from_slice(&[separator, b'0' + (n / 10) as u8, b'0' + (n % 10) as u8]);
        two(b'T', day / 3600);
        two(b':', day / 60 % 60);
        two(b':', day % 60);
        if self.nanos > 0 {
            let digits = format!("{:09}", self.nanos);
            let keep = if self.nanos.is_multiple_of(1_000_000) {
                3
            } else if self.nanos.is_multiple_of(1000) {
                6
            } else {
                9
            };
            out.push(b'.');
            out.extend_from_slice(&digits.as_bytes()[..keep]);
        }
        if self.offset == 0 {
            out.push(b'Z');
        } else {
            let minutes = self.offset.unsigned_abs() / 60;
            let mut two = |separator: u8, n: u32| {
                out.extend_from_slice(&[separator, b'0' + (n / 10) as u8, b'0' + (n % 10) as u8])
            };
            two(if self.offset < 0 { b'-' } else { b'+' }, minutes / 60);
            two(b':', minutes % 60);
        }
    }
}

/// The first second of the year 1.
const FIRST_SECOND: i64 = -62_135_596_800;
/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

impl Timestamp {
    /// A moment by its seconds since 1970 in UTC; `None` outside of the years 1..=9999.
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        ((FIRST_SECOND..=LAST_SECOND).contains(&seconds) && nanos < 1_000_000_000).then_some(Self {
            seconds,
            nanos,
            offset: 0,
        })
    }

    /// Nanoseconds since 1970.
    fn total(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos)
    }

    /// That much later, in the same offset; `None` outside of the years 1..=9999.
    pub fn plus(self, span: Duration) -> Option<Self> {
        let total = self.total() + span.total();
        let seconds = i64::try_from(total.div_euclid(1_000_000_000)).ok()?;
        Some(Self { offset: self.offset, ..Self::new(seconds, total.rem_euclid(1_000_000_000) as u32)? })
    }

    /// The span from the other moment to this one.
    pub fn since(self, other: Self) -> Option<Duration> {
        Duration::from_nanos(self.total() - other.total())
    }
}

impl Duration {
    /// The longest span in seconds, either way: that of CEL, some 10,000 years.
    pub const MAX_SECONDS: i64 = 315_576_000_000;

    /// A span of so many nanoseconds; `None` if it is longer than [`Duration::MAX_SECONDS`].
    pub fn from_nanos(total: i128) -> Option<Self> {
        let seconds = i64::try_from(total / 1_000_000_000).ok()?;
        (seconds.abs() <= Self::MAX_SECONDS).then_some(Self { seconds, nanos: (total % 1_000_000_000) as i32 })
    }

    /// Nanoseconds.
    pub fn total(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos)
    }

    /// Both together; `None` if that is too long.
    pub fn plus(self, other: Self) -> Option<Self> {
        Self::from_nanos(self.total() + other.total())
    }

    /// The same span the other way.
    pub fn negated(self) -> Self {
        Self { seconds: -self.seconds, nanos: -self.nanos }
    }

    /// Reads `1h30m`, `1.5s`, `-20ms`: numbers with `h`, `m`, `s`, `ms`, `us` or `ns`, or a bare `0`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Some(Self { seconds: 0, nanos: 0 });
        }
        if rest.is_empty() || rest.len() > 100 {
            return None;
        }
        let mut total = 0_i128;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let number = &rest[..end];
            rest = &rest[end..];
            let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
            let unit: i128 = match &rest[..end] {
                "h" => 3_600_000_000_000,
                "m" => 60_000_000_000,
                "s" => 1_000_000_000,
                "ms" => 1_000_000,
                "us" | "\u{b5}s" | "\u{3bc}s" => 1000,
                "ns" => 1,
                _ => return None,
            };
            rest = &rest[end..];
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if whole.is_empty() && fraction.is_empty() {
                return None;
            }
            if !whole.is_empty() {
                total = total.checked_add(whole.parse::<i64>().map(i128::from).ok()?.checked_mul(unit)?)?;
            }
            let mut part = unit;
            for byte in fraction.bytes() {
                part /= 10;
                total += i128::from(byte.checked_sub(b'0').filter(|d| *d < 10)?) * part;
            }
        }
        Self::from_nanos(if negative { -total } else { total })
    }

    /// Appends seconds in the form of CEL: `3600s`, `0.5s`.
    pub fn write(self, out: &mut Vec<u8>) {
        let mut text = String::new();
        if self.seconds < 0 || self.nanos < 0 {
            text.push('-');
        }
        text.push_str(&self.seconds.unsigned_abs().to_string());
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos.unsigned_abs());
            text.push('.');
            text.push_str(digits.trim_end_matches('0'));
        }
        text.push('s');
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip() {
        for days in (-719_162..2_932_896).step_by(37) {
            let (y, m, d) = Date { days }.civil();
            assert_eq!(Date::new(y, m, d), Some(Date { days }));
        }
        assert_eq!(Date::new(2023, 2, 29), None);
        assert_eq!(Date::new(1970, 1, 1), Some(Date { days: 0 }));
    }

    #[test]
    fn moments_keep_their_offset() {
        for text in ["2024-02-29T23:59:59Z", "1996-07-04T00:00:00.125+05:30", "2020-01-01T00:00:00.000000001-00:30"] {
            let mut out = Vec::new();
            Timestamp::parse_rfc3339(text).unwrap().write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        for text in [
            "2024-02-30T00:00:00Z",
            "2024-02-29T00:00:00",
            "2024-02-29",
            "2024-02-29T24:00:00Z",
            "2024-02-29T00:00:00Zx",
        ] {
            assert!(Timestamp::parse_rfc3339(text).is_none(), "{text}");
        }
    }

    mod random {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn moments_round_trip(seconds in FIRST_SECOND + 86_400..LAST_SECOND - 86_400, nanos in 0..1_000_000_000_u32, minutes in -1439..1440_i32) {
                let moment = Timestamp { seconds, nanos, offset: minutes * 60 };
                let mut text = Vec::new();
                moment.write(&mut text);
                let read = Timestamp::parse_rfc3339(std::str::from_utf8(&text).unwrap()).unwrap();
                prop_assert_eq!((read.seconds, read.nanos, read.offset), (seconds, nanos, minutes * 60));
            }

            #[test]
            fn spans_round_trip(total in -315_576_000_000_000_000_000_i128..=315_576_000_000_000_000_000) {
                let span = Duration::from_nanos(total).unwrap();
                let mut text = Vec::new();
                span.write(&mut text);
                prop_assert_eq!(Duration::parse(std::str::from_utf8(&text).unwrap()), Some(span));
                let moment = Timestamp { seconds: 0, nanos: 7, offset: 0 };
                if let Some(later) = moment.plus(span) {
                    prop_assert_eq!(later.since(moment), Some(span));
                }
            }

            #[test]
            fn dates_read_back(days in -719_162..2_932_896_i32) {
                let date = Date { days };
                prop_assert_eq!(Date::parse(std::str::from_utf8(&date.text()).unwrap()), Some(date));
            }

            #[test]
            fn any_text_is_read_or_refused(text in "[0-9TZ:+. -]{0,40}|\\PC{0,12}|[0-9hmsun.-]{0,20}") {
                let _ = (Timestamp::parse_rfc3339(&text), Date::parse(&text), Duration::parse(&text));
            }
        }
    }
}
