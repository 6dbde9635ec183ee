//! Moments in columns of text: databases without a type for them keep `2024-12-31 23:59:59`, and
//! compare the text.

use crate::record::{Date, Timestamp};

/// The form of a moment's text, so that another one can be written just so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form<'t> {
    /// Between date and time; `None`: the text is a date.
    between: Option<u8>,
    /// Digits of the fraction; `None`: there is no point.
    digits: Option<usize>,
    /// What follows: nothing, `Z`, an offset.
    zone: &'t str,
}

/// The moment that a text stands for: a date and a time with `T` or a space between, with or
/// without a fraction, `Z` or an offset; a date alone is its midnight. Without a zone it is UTC.
pub fn read(text: &str) -> Option<Timestamp> {
    parse(text).map(|(moment, _)| moment)
}

/// Another moment in the form of a text; `None` if the text is no moment.
pub fn write_like(text: &str, moment: Timestamp) -> Option<String> {
    let (like, form) = parse(text)?;
    let mut out = Vec::new();
    Timestamp { offset: like.offset, nanos: 0, ..moment }.write(&mut out);
    let mut written = String::from_utf8(out).ok()?;
    let Some(between) = form.between else {
        written.truncate(10);
        return Some(written);
    };
    written.truncate(19);
    written.replace_range(10..11, char::from(between).encode_utf8(&mut [0; 4]));
    if let Some(digits) = form.digits {
        written.push('.');
        written.push_str(&format!("{:09}", moment.nanos)[..digits.min(9)]);
    }
    written.push_str(form.zone);
    Some(written)
}

/// The form of a moment's text, as far as it decides the order of texts: what stands between date
/// and time (`None` for a date), and whether a longer text of this form is a later moment (nothing
/// stands behind its fraction). `None` if the text is no moment.
pub(super) fn form(text: &str) -> Option<(Option<u8>, bool)> {
    parse(text).map(|(_, form)| (form.between, form.zone.is_empty()))
}

/// The day before a moment, as the beginning of its text.
pub(super) fn day_before(text: &str) -> Option<String> {
    let days = Date::parse(text.get(..10)?)?.days - 1;
    String::from_utf8(Date { days: days.max(-719_162) }.text().to_vec()).ok()
}

fn parse(text: &str) -> Option<(Timestamp, Form<'_>)> {
    if !text.is_ascii() {
        return None;
    }
    let date = Date::parse(text.get(..10)?)?;
    if text.len() == 10 {
        return Some((date.midnight(), Form { between: None, digits: None, zone: "" }));
    }
    let between = *text.as_bytes().get(10)?;
    if !matches!(between, b' ' | b'T' | b't') {
        return None;
    }
    let rest = text.get(19..)?;
    let (digits, zone) = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            (Some(digits), fraction.get(digits..)?)
        }
        None => (None, rest),
    };
    if digits.is_some_and(|digits| digits == 0 || digits > 9) {
        return None;
    }
    let mut whole = format!("{}T{}", &text[..10], text.get(11..19)?);
    if let Some(digits) = digits {
        whole.push_str(rest.get(..=digits)?);
    }
    match (zone, zone.as_bytes()) {
        ("" | "Z" | "z", _) => whole.push('Z'),
        (zone, [b'+' | b'-', _, _, b':', _, _]) => whole.push_str(zone),
        _ => return None,
    }
    Some((Timestamp::parse_rfc3339(&whole)?, Form { between: Some(between), digits, zone }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_the_form_that_is_there() {
        let moment = Timestamp { seconds: 86_400 * 365 + 3723, nanos: 50_000_000, offset: 0 };
        let check = |like: &str, wanted: Option<&str>| {
            assert_eq!(write_like(like, moment).as_deref(), wanted, "{like}");
        };
        check("2024-12-31 23:59:59", Some("1971-01-01 01:02:03"));
        check("2024-12-31T23:59:59Z", Some("1971-01-01T01:02:03Z"));
        check("2024-12-31T23:59:59.1234Z", Some("1971-01-01T01:02:03.0500Z"));
        check("2024-12-31 23:59:59+02:00", Some("1971-01-01 03:02:03+02:00"));
        check("2024-12-31", Some("1971-01-01"));
        for none in ["", "2024-12-31 23:59", "2024-12-31 23:59:5x", "2024-02-30", "1.5", "2024-12-31 23:59:59 CET"] {
            check(none, None);
        }
    }

    #[test]
    fn a_text_without_a_zone_is_utc() {
        assert_eq!(read("1970-01-01 00:00:01.5").unwrap(), Timestamp { seconds: 1, nanos: 500_000_000, offset: 0 });
        assert_eq!(read("1970-01-01T02:00:00+02:00").unwrap().seconds, 0);
    }
}
