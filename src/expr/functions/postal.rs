//! Postal addresses: the form of postal codes by country (Universal Postal Union, S42), and street lines.

use super::{Call, Failure, Prepared, data};
use crate::record::Value;

/// The forms of the codes of a country: `9` is a digit, `A` a letter, all else stands as it is.
const FORMS: &[(&str, &[&str])] = &[
    ("AD", &["AD999"]),
    ("AR", &["9999", "A9999AAA"]),
    ("AT", &["9999"]),
    ("AU", &["9999"]),
    ("BE", &["9999"]),
    ("BG", &["9999"]),
    ("BR", &["99999-999"]),
    ("CA", &["A9A 9A9"]),
    ("CH", &["9999"]),
    ("CN", &["999999"]),
    ("CY", &["9999"]),
    ("CZ", &["999 99"]),
    ("DE", &["99999"]),
    ("DK", &["9999"]),
    ("EE", &["99999"]),
    ("ES", &["99999"]),
    ("FI", &["99999"]),
    ("FR", &["99999"]),
    ("GB", &["A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"]),
    ("GR", &["999 99"]),
    ("HR", &["99999"]),
    ("HU", &["9999"]),
    (
        "IE",
        &[
            "A99 AAAA", "A99 A999", "A99 9AAA", "A99 AA99", "A99 A9AA", "A99 AAA9", "A99 A99A", "A99 9A99", "A99 99AA",
            "A99 9AA9", "A99 999A", "A99 9999", "A9A AAAA", "A9A A999", "A9A 9AAA", "A9A AA99", "A9A A9AA", "A9A AAA9",
        ],
    ),
    ("IL", &["9999999", "99999"]),
    ("IN", &["999999"]),
    ("IS", &["999"]),
    ("IT", &["99999"]),
    ("JP", &["999-9999"]),
    ("KR", &["99999"]),
    ("LI", &["9999"]),
    ("LT", &["99999"]),
    ("LU", &["9999"]),
    ("LV", &["LV-9999"]),
    ("MT", &["AAA 9999"]),
    ("MX", &["99999"]),
    ("NL", &["9999 AA"]),
    ("NO", &["9999"]),
    ("NZ", &["9999"]),
    ("PL", &["99-999"]),
    ("PT", &["9999-999"]),
    ("RO", &["999999"]),
    ("RS", &["99999"]),
    ("RU", &["999999"]),
    ("SE", &["999 99"]),
    ("SG", &["999999"]),
    ("SI", &["9999"]),
    ("SK", &["999 99"]),
    ("TR", &["99999"]),
    ("UA", &["99999"]),
    ("US", &["99999", "99999-9999"]),
    ("ZA", &["9999"]),
];

/// The country whose codes are read, by its two letters.
#[derive(Clone, Copy, Debug)]
struct Of(&'static str);

/// Looks a constant country up once.
///
/// # Errors
/// If there is no such country.
pub(super) fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(1) {
        Some(Some(Value::String(name))) => Ok(Prepared::Made(Box::new(country(name)?))),
        _ => Ok(Prepared::None),
    }
}

/// The code as its country writes it; `None` if it has not its form.
///
/// # Errors
/// If there is no such country.
pub(super) fn code<'a>(text: &str, name: &str, call: &Call<'_, 'a>) -> Result<Option<&'a str>, Failure> {
    let of = match call.made::<Of>() {
        Some(of) => *of,
        None => country(name)?,
    };
    let (mut plain, mut count) = (['\0'; 12], 0);
    for character in text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}' | '.')) {
        let Some(place) = plain.get_mut(count).filter(|_| character.is_ascii_alphanumeric()) else { return Ok(None) };
        *place = character.to_ascii_uppercase();
        count += 1;
    }
    let mut plain = &plain[..count];
    let known = FORMS.binary_search_by_key(&of.0, |(country, _)| country);
    let Ok(at) = known else {
        if !(2..=10).contains(&plain.len()) {
            return Ok(None);
        }
        let mut out = call.text(text.len())?;
        out.extend(text.trim().chars().map(|character| character.to_ascii_uppercase()));
        return Ok(Some(out.into_bump_str()));
    };
    let forms = FORMS[at].1;
    // "D-10115", "CH-8001": what was once put before a code.
    let before: Vec<char> = of.0.chars().collect();
    if plain.iter().any(char::is_ascii_digit) && forms.iter().all(|form| form.starts_with('9')) {
        plain = match plain {
            [first, rest @ ..] if before.first() == Some(first) && rest.first().is_some_and(char::is_ascii_digit) => {
                rest
            }
            other => other.strip_prefix(before.as_slice()).unwrap_or(other),
        };
    }
    for form in forms {
        let mut out = call.text(form.len())?;
        let mut rest = plain.iter().copied().peekable();
        let fits = form.chars().all(|wanted| {
            let found = match wanted {
                '9' => rest.next_if(char::is_ascii_digit),
                'A' => rest.next_if(char::is_ascii_uppercase),
                ' ' | '-' => Some(wanted),
                // The letters of a country in front of its codes may be left out.
                letter => rest.next_if_eq(&letter).or(Some(letter)),
            };
            out.extend(found);
            found.is_some()
        });
        if fits && rest.next().is_none() {
            return Ok(Some(out.into_bump_str()));
        }
    }
    Ok(None)
}

/// Street, number and what is added to it.
pub(super) fn street(text: &str) -> [&str; 3] {
    let text = text.trim().trim_end_matches(',').trim_end();
    // A number in front: "221B Baker Street", "12, rue de la Paix".
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at(digits);
        let word = rest.find([' ', ',']).unwrap_or(rest.len());
        let (addition, street) = rest.split_at(word);
        let street = street.trim_start_matches([' ', ',']);
        let ordinal = matches!(addition, "st" | "nd" | "rd" | "th" | ".");
        if !street.is_empty() && !ordinal && is_addition(addition) {
            return [street, number, addition.trim_start_matches(['-', '/'])];
        }
    }
    // A number behind, the last that has no more than an addition after it.
    let Some(last) = text.rfind(|c: char| c.is_ascii_digit()) else { return [text, "", ""] };
    let begins = |word: &(usize, &str)| word.1.starts_with(|c: char| c.is_ascii_digit());
    let words = text.split(' ').map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word));
    let Some((at, _)) = words.filter(begins).rfind(|(at, _)| *at > 0 && *at <= last) else {
        return [text, "", ""];
    };
    let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
    let (street, number) = (text[..at].trim_end_matches([' ', ',']), &text[at..at + digits]);
    let addition = text[at + digits..].trim_start_matches([' ', '-', '/']);
    if street.is_empty() || text[at + digits..].starts_with('.') || !is_addition(addition) {
        return [text, "", ""];
    }
    [street, number, addition]
}

/// A letter, a second number, a flat: short and one word.
fn is_addition(text: &str) -> bool {
    text.chars().count() <= 8 && !text.contains(' ') && text.chars().filter(|c| c.is_alphabetic()).count() <= 2
}

fn country(name: &str) -> Result<Of, Failure> {
    data::country(name).map(|found| Of(found.alpha2)).ok_or_else(|| Failure::value("no country has that code or name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_in_order() {
        assert!(FORMS.is_sorted_by_key(|(country, _)| *country));
    }

    #[test]
    fn street_lines_as_people_write_them() {
        for (text, expected) in [
            ("Hauptstr. 12", ["Hauptstr.", "12", ""]),
            ("Hauptstraße 12-14", ["Hauptstraße", "12", "14"]),
            ("Hauptstraße 12/3", ["Hauptstraße", "12", "3"]),
            ("Calle Mayor, 7", ["Calle Mayor", "7", ""]),
            ("12, rue de la Paix", ["rue de la Paix", "12", ""]),
            ("1600 Pennsylvania Avenue NW", ["Pennsylvania Avenue NW", "1600", ""]),
            ("5th Avenue 350", ["5th Avenue", "350", ""]),
            ("Straße des 17. Juni 135", ["Straße des 17. Juni", "135", ""]),
            ("42nd Street", ["42nd Street", "", ""]),
            ("Postfach", ["Postfach", "", ""]),
            ("", ["", "", ""]),
            ("12", ["12", "", ""]),
            ("é 1é", ["é", "1", "é"]),
        ] {
            assert_eq!(street(text), expected, "{text}");
        }
    }
}
