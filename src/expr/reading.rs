//! Dates and times as people and programs write them: read by a pattern, never by a guess.

use crate::record::{Date, Timestamp};

use super::zone::{self, Gap, Piece, Zone};

/// What a text is read by.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Whatever has one reading only.
    Any,
    /// The first of these that fits.
    Written(Vec<Vec<Piece>>),
}

/// Why a text is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is not in the form of the pattern.
    Form,
    /// It is in the form, but there is no such day or time.
    NoSuchDay,
    /// Day and month could be either way around.
    Ambiguous,
    /// It says neither an offset nor was a zone named.
    NoZone,
    /// Clocks in the zone skip this local time.
    Gap,
}

impl Unread {
    /// One sentence, which shows nothing of the text.
    pub fn cause(self) -> &'static str {
        match self {
            Self::Form => "the text is not in the form of the pattern",
            Self::NoSuchDay => "the text is in the form of the pattern, but there is no such day or time",
            Self::Ambiguous => {
                "the text has two readings, day first and month first: name a pattern, `d/m/y` or `m/d/y`"
            }
            Self::NoZone => "the text says no offset from UTC: name the time zone it is meant in",
            Self::Gap => "clocks in that zone are put forward over this local time: there is no such moment",
        }
    }
}

/// Names of patterns of dates.
const DATES: &[(&str, &[&str])] = &[
    ("iso", &["%Y-%m-%d"]),
    ("basic", &["%Y%m%d"]),
    ("us", &["%m/%d/%Y"]),
    ("gb", &["%d/%m/%Y"]),
    ("fr", &["%d/%m/%Y"]),
    ("de", &["%d.%m.%Y"]),
    ("nl", &["%d-%m-%Y"]),
    ("rfc2822", &["%d %b %Y", "%a, %d %b %Y"]),
    ("http", &["%d %b %Y", "%a, %d %b %Y"]),
];

/// Names of patterns of moments; the first of each is also what is written.
const TIMES: &[(&str, &[&str])] = &[
    (
        "iso",
        &[
            "%Y-%m-%dT%H:%M:%S%:z",
            "%Y-%m-%dT%H:%M:%S.%f%:z",
            "%Y-%m-%d %H:%M:%S%:z",
            "%Y-%m-%d %H:%M:%S.%f%:z",
            "%Y-%m-%dT%H:%M%:z",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%dT%H:%M:%S.%f",
            "%Y-%m-%d %H:%M:%S",
            "%Y-%m-%d %H:%M:%S.%f",
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%d %H:%M",
        ],
    ),
    ("basic", &["%Y%m%dT%H%M%S%z", "%Y%m%dT%H%M%S", "%Y%m%d%H%M%S"]),
    ("us", &["%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"]),
    ("gb", &["%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"]),
    ("fr", &["%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"]),
    ("de", &["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"]),
    ("nl", &["%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M"]),
    ("rfc2822", &["%a, %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M %z", "%d %b %Y %H:%M %z"]),
    ("http", &["%a, %d %b %Y %H:%M:%S %z", "%A, %d-%b-%y %H:%M:%S %z"]),
];

impl Pattern {
    /// Reads a pattern of dates or moments: a name (`iso`), parts after percent signs (`%d.%m.%Y`), or letters
    /// with marks between them (`d/m/y H:M`).
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub fn parse(text: &str, moments: bool) -> Result<Self, String> {
        if text == "any" && !moments {
            return Ok(Self::Any);
        }
        let names = if moments { TIMES } else { DATES };
        let texts = match names.iter().find(|(name, _)| *name == text) {
            Some((_, texts)) => texts.iter().map(|text| (*text).to_string()).collect(),
            None if text.contains('%') => vec![text.to_string()],
            None => vec![letters(text).ok_or_else(|| {
                let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                let any = if moments { "" } else { "any, " };
                format!("no pattern of that name: there are {any}{}, or write `d/m/y` or `%d/%m/%Y`", names.join(", "))
            })?],
        };
        let mut patterns = Vec::with_capacity(texts.len());
        for text in texts {
            let pieces = zone::parse_format(&text).map_err(|part| format!("the pattern has no part {part}"))?;
            let has = |letters: &str| {
                pieces.iter().any(|piece| match piece {
                    Piece::Part(letter) => letters.contains(*letter),
                    Piece::IsoDate => letters.contains('d'),
                    Piece::Text(_) => false,
                })
            };
            if !has("s") && !(has("dej")) {
                return Err("the pattern has no day".into());
            }
            if moments && !has("HIs") {
                return Err("the pattern has no hour: `parse_date` reads dates".into());
            }
            patterns.push(pieces);
        }
        Ok(Self::Written(patterns))
    }

    /// Whether every text of this pattern says its offset from UTC.
    pub fn says_offset(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Written(patterns) => {
                patterns.iter().any(|pieces| pieces.iter().any(|piece| matches!(piece, Piece::Part('z' | ':' | 's'))))
            }
        }
    }

    /// Reads a date.
    ///
    /// # Errors
    /// [`Unread`] if it is none.
    pub fn date(&self, text: &str) -> Result<Date, Unread> {
        let text = text.trim();
        match self {
            Self::Any => any_date(text),
            Self::Written(_) => self.parts(text)?.date(),
        }
    }

    /// Reads a moment: in the offset that the text says, or else in the zone.
    ///
    /// # Errors
    /// [`Unread`] if it is none.
    pub fn moment(&self, text: &str, zone: Option<&Zone>) -> Result<Timestamp, Unread> {
        self.parts(text.trim())?.moment(zone)
    }

    fn parts(&self, text: &str) -> Result<Parts, Unread> {
        let Self::Written(patterns) = self else { return Err(Unread::Form) };
        let mut failure = Unread::Form;
        for pieces in patterns {
            match Parts::read(text, pieces) {
                Ok(parts) => return Ok(parts),
                Err(Unread::Form) => {}
                Err(other) => failure = other,
            }
        }
        Err(failure)
    }
}

/// The format that a name stands for when writing, and whether it is always in UTC.
pub fn written(name: &str, moments: bool) -> Option<(&'static str, bool)> {
    let names = if moments { TIMES } else { DATES };
    let (_, texts) = names.iter().find(|(known, _)| *known == name)?;
    match name {
        "http" if moments => Some(("%a, %d %b %Y %H:%M:%S GMT", true)),
        _ => texts.first().map(|text| (*text, false)),
    }
}

/// `d/m/y H:M` as a format: single letters, with marks between them.
pub fn letters(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut before = false;
    for character in text.chars() {
        let letter = character.is_alphanumeric();
        if letter && before {
            return None;
        }
        before = letter;
        match character {
            'y' => out.push_str("%Y"),
            'd' | 'm' | 'H' | 'M' | 'S' | 'I' | 'p' => out.extend(['%', character]),
            'b' => out.push_str("%b"),
            _ if letter => return None,
            _ => out.push(character),
        }
    }
    (out.contains("%Y") && out.contains("%d")).then_some(out)
}

/// A date that has one reading: year first, a month by name, day and month that differ by what they can be, or
/// points, which stand for day first.
fn any_date(text: &str) -> Result<Date, Unread> {
    let fields: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|field| !field.is_empty()).collect();
    let number = |field: &str, digits: std::ops::RangeInclusive<usize>| -> Option<u32> {
        (digits.contains(&field.len()) && field.bytes().all(|b| b.is_ascii_digit()))
            .then(|| field.parse().ok())
            .flatten()
    };
    let new = |year: u32, month: u32, day: u32| Date::new(year as i32, month, day).ok_or(Unread::NoSuchDay);
    let marks = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '/' | '.' | ',' | ' '));
    match fields.as_slice() {
        _ if !marks => Err(Unread::Form),
        [compact] if number(compact, 8..=8).is_some() => {
            let at = |range: std::ops::Range<usize>| compact.get(range).and_then(|part| part.parse().ok()).unwrap_or(0);
            new(at(0..4), at(4..6), at(6..8))
        }
        [a, b, c] => {
            let month = |field: &str| zone::month_named(field).filter(|(_, length)| *length == field.len());
            let (x, y) = (number(a, 1..=2), number(b, 1..=2));
            if let (Some(year), Some(month), Some(day)) = (number(a, 4..=4), y, number(c, 1..=2)) {
                return new(year, month, day);
            }
            let year = number(c, 4..=4).ok_or(Unread::Form)?;
            match (x, y) {
                (Some(day), None) => new(year, month(b).ok_or(Unread::Form)?.0, day),
                (None, Some(day)) => new(year, month(a).ok_or(Unread::Form)?.0, day),
                (Some(day), Some(month)) if text.contains('.') => new(year, month, day),
                (Some(same), Some(other)) if same == other => new(year, same, other),
                (Some(day), Some(month)) if day > 12 => new(year, month, day),
                (Some(month), Some(day)) if day > 12 => new(year, month, day),
                (Some(_), Some(_)) => Err(Unread::Ambiguous),
                (None, None) => Err(Unread::Form),
            }
        }
        _ => Err(Unread::Form),
    }
}

/// What a text said.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    of_year: Option<u32>,
    weekday: Option<u32>,
    hour: u32,
    twelve: bool,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    nanos: u32,
    offset: Option<i32>,
    epoch: Option<i64>,
}

impl Parts {
    fn read(text: &str, pieces: &[Piece]) -> Result<Self, Unread> {
        let mut parts = Self::default();
        let mut rest = text;
        for (index, piece) in pieces.iter().enumerate() {
            // Digits that touch have all their places; where something stands between, zeros may lack.
            let digits = |index: Option<usize>| {
                let piece = index.and_then(|index| pieces.get(index));
                matches!(piece, Some(Piece::Part(letter)) if "YymdeHIMSfLjs".contains(*letter))
            };
            let tight = digits(index.checked_add(1)) || digits(index.checked_sub(1));
            rest = match piece {
                Piece::Text(wanted) => literal(rest, wanted).ok_or(Unread::Form)?,
                Piece::IsoDate => {
                    let date = rest.get(..10).ok_or(Unread::Form)?;
                    let shape = date
                        .bytes()
                        .enumerate()
                        .all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
                    let (year, month, day) = match Date::parse(date) {
                        Some(date) => date.civil(),
                        None if shape => return Err(Unread::NoSuchDay),
                        None => return Err(Unread::Form),
                    };
                    (parts.year, parts.month, parts.day) = (Some(year), Some(month), Some(day));
                    &rest[10..]
                }
                Piece::Part(letter) => parts.part(*letter, rest, tight).ok_or(Unread::Form)?,
            };
        }
        if rest.is_empty() { Ok(parts) } else { Err(Unread::Form) }
    }

    /// Reads one part; what is left behind it.
    fn part<'t>(&mut self, letter: char, text: &'t str, tight: bool) -> Option<&'t str> {
        let digits = |width: usize| -> Option<(u32, &'t str)> {
            let count = text.bytes().take(width).take_while(u8::is_ascii_digit).count();
            let enough = count == width || (!tight && count > 0);
            let (number, rest) = text.split_at(count);
            enough.then(|| number.parse().ok()).flatten().map(|number| (number, rest))
        };
        let mut rest = text;
        let mut two = |place: &mut u32, low: u32, high: u32| -> Option<()> {
            let (number, after) = digits(2)?;
            (*place, rest) = (number, after);
            (low..=high).contains(&number).then_some(())
        };
        let mut number = 0;
        match letter {
            'Y' => {
                let (year, after) = digits(4).filter(|(_, after)| text.len() - after.len() == 4)?;
                (self.year, rest) = (Some(year as i32), after);
            }
            'y' => {
                let (year, after) = digits(2).filter(|(_, after)| text.len() - after.len() == 2)?;
                // The rule of POSIX: 69 to 99 lie in the last century.
                (self.year, rest) = (Some(year as i32 + if year >= 69 { 1900 } else { 2000 }), after);
            }
            'm' => {
                two(&mut number, 0, 99)?;
                self.month = Some(number);
            }
            'd' | 'e' => {
                rest = text.trim_start_matches(|c| letter == 'e' && c == ' ');
                let trimmed = rest;
                let count = trimmed.bytes().take(2).take_while(u8::is_ascii_digit).count();
                if count == 0 || (tight && count < 2) {
                    return None;
                }
                self.day = trimmed[..count].parse().ok();
                rest = &trimmed[count..];
            }
            'j' => {
                let (day, after) = digits(3)?;
                (self.of_year, rest) = (Some(day), after);
            }
            'H' => two(&mut self.hour, 0, 23)?,
            'I' => {
                two(&mut self.hour, 1, 12)?;
                self.twelve = true;
            }
            'M' => two(&mut self.minute, 0, 59)?,
            'S' => two(&mut self.second, 0, 59)?,
            'f' | 'L' => {
                let count = text.bytes().take(9).take_while(u8::is_ascii_digit).count();
                let (fraction, after) = text.split_at(count);
                let unit = 10_u32.checked_pow(9_u32.checked_sub(count as u32)?)?;
                (self.nanos, rest) = (fraction.parse::<u32>().ok()?.checked_mul(unit)?, after);
            }
            'p' => {
                let (afternoon, length) = half_of_day(text)?;
                (self.afternoon, rest) = (Some(afternoon), &text[length..]);
            }
            'a' | 'A' => {
                let (weekday, length) = zone::weekday_named(text)?;
                (self.weekday, rest) = (Some(weekday), &text[length..]);
            }
            'b' | 'B' => {
                let (month, length) = zone::month_named(text)?;
                (self.month, rest) = (Some(month), &text[length..]);
            }
            'u' => {
                let (weekday, after) = digits(1).filter(|(day, _)| (1..=7).contains(day))?;
                (self.weekday, rest) = (Some(weekday % 7), after);
            }
            'z' | ':' => {
                let (offset, length) = offset(text)?;
                (self.offset, rest) = (Some(offset), &text[length..]);
            }
            's' => {
                let count = text
                    .bytes()
                    .enumerate()
                    .take(12)
                    .take_while(|(at, b)| b.is_ascii_digit() || (*at == 0 && *b == b'-'))
                    .count();
                self.epoch = Some(text[..count].parse().ok()?);
                rest = &text[count..];
            }
            _ => return None,
        }
        Some(rest)
    }

    fn date(self) -> Result<Date, Unread> {
        if let Some(seconds) = self.epoch {
            return Timestamp::new(seconds, 0).map(|moment| moment.date_at(0)).ok_or(Unread::NoSuchDay);
        }
        let year = self.year.ok_or(Unread::Form)?;
        let date = match (self.of_year, self.month, self.day) {
            (_, Some(month), Some(day)) => Date::new(year, month, day),
            (Some(of_year), _, _) => Date::new(year, 1, 1)
                .and_then(|first| Some(Date { days: first.days + i32::try_from(of_year).ok()?.checked_sub(1)? }))
                .filter(|date| of_year > 0 && date.civil().0 == year),
            _ => return Err(Unread::Form),
        };
        let date = date.ok_or(Unread::NoSuchDay)?;
        // A weekday that is not that of the date says that one of them is wrong.
        if self.weekday.is_some_and(|weekday| weekday != zone::weekday(date)) {
            return Err(Unread::NoSuchDay);
        }
        Ok(date)
    }

    fn moment(self, zone: Option<&Zone>) -> Result<Timestamp, Unread> {
        if let Some(seconds) = self.epoch {
            return Timestamp::new(seconds, self.nanos).ok_or(Unread::NoSuchDay);
        }
        let hour = match (self.twelve, self.afternoon) {
            (true, Some(afternoon)) => self.hour % 12 + if afternoon { 12 } else { 0 },
            (true, None) => return Err(Unread::Form),
            (false, Some(afternoon)) if afternoon != (self.hour >= 12) => return Err(Unread::NoSuchDay),
            (false, _) => self.hour,
        };
        let second = hour * 3600 + self.minute * 60 + self.second;
        let date = self.date()?;
        let fixed = self.offset.map(Zone::Fixed);
        let zone = fixed.as_ref().or(zone).ok_or(Unread::NoZone)?;
        zone.moment(date, second, self.nanos).map_err(|gap| match gap {
            Gap::Skipped(_) => Unread::Gap,
            Gap::Range => Unread::NoSuchDay,
        })
    }
}

/// What is left behind a fixed text; a space in it stands for any number of them.
fn literal<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = text;
    for character in wanted.chars() {
        if character == ' ' {
            let trimmed = rest.trim_start_matches([' ', '\t', '\u{a0}', '\u{202f}']);
            if trimmed.len() == rest.len() {
                return None;
            }
            rest = trimmed;
        } else {
            rest = rest.strip_prefix(character)?;
        }
    }
    Some(rest)
}

/// `AM`, `pm`, `a.m.`: whether it is the afternoon, and its length.
fn half_of_day(text: &str) -> Option<(bool, usize)> {
    for (form, afternoon) in [("a.m.", false), ("p.m.", true), ("am", false), ("pm", true)] {
        if text.get(..form.len()).is_some_and(|found| found.eq_ignore_ascii_case(form)) {
            return Some((afternoon, form.len()));
        }
    }
    None
}

/// `+01:00`, `-0230`, `+02`, `Z`, `GMT`, `UTC`, `UT`: seconds, and its length.
fn offset(text: &str) -> Option<(i32, usize)> {
    for name in ["GMT", "UTC", "UT", "Z", "z"] {
        if text.starts_with(name) {
            return Some((0, name.len()));
        }
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let two = |at: usize| -> Option<i32> {
        let part = text.get(at..at + 2).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse().ok()
    };
    let hours = two(1)?;
    let (minutes, length) = match (text.as_bytes().get(3), two(3)) {
        (Some(b':'), _) => (two(4)?, 6),
        (_, Some(minutes)) => (minutes, 5),
        _ => (0, 3),
    };
    (hours < 24 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn date(pattern: &str, text: &str, expected: &str) {
        let found = match Pattern::parse(pattern, false).expect(pattern).date(text) {
            Ok(date) => String::from_utf8_lossy(&date.text()).into_owned(),
            Err(unread) => format!("{unread:?}"),
        };
        assert_eq!(found, expected, "{pattern} {text:?}");
    }

    #[track_caller]
    fn moment(pattern: &str, text: &str, zone: &str, expected: &str) {
        let zone = Zone::parse(zone);
        let found = match Pattern::parse(pattern, true).expect(pattern).moment(text, zone.as_ref()) {
            Ok(moment) => {
                let mut out = Vec::new();
                moment.write(&mut out);
                String::from_utf8(out).expect("text")
            }
            Err(unread) => format!("{unread:?}"),
        };
        assert_eq!(found, expected, "{pattern} {text:?}");
    }

    #[test]
    fn dates_are_read_by_patterns() {
        date("d/m/y", "3/4/2024", "2024-04-03");
        date("m/d/y", "3/4/2024", "2024-03-04");
        date("de", "31.03.2024", "2024-03-31");
        date("de", "31.04.2024", "NoSuchDay");
        date("us", "31/03/2024", "NoSuchDay");
        date("basic", "20240229", "2024-02-29");
        date("basic", "2024229", "Form");
        date("%d.%m.%y", "1.2.69", "1969-02-01");
        date("%d.%m.%y", "1.2.68", "2068-02-01");
        date("%d.%m.%Y", "1.2.68", "Form");
        date("%d %B %Y", "3 march 2024", "2024-03-03");
        date("%d %b %Y", "3 May 2024", "2024-05-03");
        date("%Y-%j", "2024-366", "2024-12-31");
        date("%Y-%j", "2023-366", "NoSuchDay");
        date("rfc2822", "Sun, 31 Mar 2024", "2024-03-31");
        date("rfc2822", "Mon, 31 Mar 2024", "NoSuchDay");
        date("iso", " 2024-02-29 ", "2024-02-29");
        date("iso", "2024-2-29", "Form");
        date("iso", "2023-02-29", "NoSuchDay");
        date("iso", "2024-02-29x", "Form");
        date("de", "３１.03.2024", "Form");
    }

    #[test]
    fn what_has_two_readings_is_said() {
        date("any", "3/4/2024", "Ambiguous");
        date("any", "3-4-2024", "Ambiguous");
        date("any", "3.4.2024", "2024-04-03");
        date("any", "13/4/2024", "2024-04-13");
        date("any", "4/13/2024", "2024-04-13");
        date("any", "4/4/2024", "2024-04-04");
        date("any", "2024/4/3", "2024-04-03");
        date("any", "20240403", "2024-04-03");
        date("any", "3 Apr 2024", "2024-04-03");
        date("any", "April 3, 2024", "2024-04-03");
        date("any", "3 Aprilish 2024", "Form");
        date("any", "3/4/24", "Form");
        date("any", "32/1/2024", "NoSuchDay");
        date("any", "", "Form");
        date("any", "3:4:2024", "Form");
    }

    #[test]
    fn moments_are_read_by_patterns() {
        moment("iso", "2024-03-31T12:00:00+02:00", "", "2024-03-31T12:00:00+02:00");
        moment("iso", "2024-03-31 12:00:00.5Z", "", "2024-03-31T12:00:00.500Z");
        moment("iso", "2024-03-31T12:00:00", "", "NoZone");
        moment("iso", "2024-03-31T12:00", "Europe/Berlin", "2024-03-31T12:00:00+02:00");
        moment("iso", "2024-03-31T02:30:00", "Europe/Berlin", "Gap");
        moment("iso", "2024-10-27T02:30:00", "Europe/Berlin", "2024-10-27T02:30:00+02:00");
        moment("iso", "2024-03-31T24:00:00Z", "", "Form");
        moment("us", "3/4/2024 12:05 AM", "America/New_York", "2024-03-04T00:05:00-05:00");
        moment("us", "3/4/2024 1:05:09 p.m.", "UTC", "2024-03-04T13:05:09Z");
        moment("us", "3/4/2024 13:05 PM", "UTC", "Form");
        moment("d/m/y H:M", "3/4/2024 7:05", "UTC", "2024-04-03T07:05:00Z");
        moment("rfc2822", "Sun, 31 Mar 2024 12:00:00 +0200", "", "2024-03-31T12:00:00+02:00");
        moment("http", "Sun, 06 Nov 1994 08:49:37 GMT", "", "1994-11-06T08:49:37Z");
        moment("http", "Sunday, 06-Nov-94 08:49:37 GMT", "", "1994-11-06T08:49:37Z");
        moment("basic", "20240331T120000Z", "", "2024-03-31T12:00:00Z");
        moment("%s", "1700000000", "", "2023-11-14T22:13:20Z");
        moment("%Y-%m-%d %H:%M:%S.%L", "2024-03-31 12:00:00.25", "UTC", "2024-03-31T12:00:00.250Z");
        moment("iso", "0001-01-01T00:00:00+01:00", "", "NoSuchDay");
    }

    #[test]
    fn wrong_patterns_are_refused() {
        for (pattern, moments) in [
            ("", false),
            ("dd/mm/yy", false),
            ("%Q", false),
            ("%Y", false),
            ("any", true),
            ("%Y-%m-%d", true),
            ("m/y", false),
            ("%", false),
        ] {
            assert!(Pattern::parse(pattern, moments).is_err(), "{pattern}");
        }
        for (name, _) in DATES {
            assert!(Pattern::parse(name, false).is_ok() && written(name, false).is_some(), "{name}");
        }
        for (name, _) in TIMES {
            assert!(Pattern::parse(name, true).is_ok() && written(name, true).is_some(), "{name}");
        }
    }

    mod random {
        use super::*;
        use proptest::prelude::*;

        proptest! {
            #![proptest_config(ProptestConfig { cases: crate::soak::rounds(256), failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn what_is_written_reads_back(days in -719_162..2_932_896_i32, second in 0..86_400_u32, index in 0..TIMES.len()) {
                let moment = Timestamp { seconds: i64::from(days) * 86_400 + i64::from(second), nanos: 0, offset: 0 };
                let (format, _) = written(TIMES[index].0, true).expect("listed");
                let pieces = zone::parse_format(format).expect("format");
                let arena = bumpalo::Bump::new();
                let mut out = bumpalo::collections::String::new_in(&arena);
                zone::write_format(moment, 0, &pieces, &mut out);
                let pattern = Pattern::parse(TIMES[index].0, true).expect("pattern");
                prop_assert_eq!(pattern.moment(&out, Some(&Zone::Fixed(0))).ok(), Some(moment), "{}", out);
            }

            #[test]
            fn any_text_is_read_or_refused(text in "[0-9/. :,TZ+-]{0,30}|[0-9/. ]{4,10}|\\PC{0,20}", pattern in "[%a-zA-Z/. :]{0,12}|\\PC{0,6}") {
                for moments in [false, true] {
                    for pattern in ["any", "iso", "us", "rfc2822", "%d %B %Y %I:%M %p %z", "%e%j%s%f%u%A", &pattern] {
                        if let Ok(pattern) = Pattern::parse(pattern, moments) {
                            let _ = (pattern.date(&text), pattern.moment(&text, Some(&Zone::Fixed(3600))));
                        }
                    }
                }
            }
        }
    }
}
