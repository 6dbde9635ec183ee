//! E-mail addresses and telephone numbers: what of them can be told without asking anybody.

use super::data::{self, Country};
use super::{Call, Failure, Prepared};
use crate::record::Value;

/// Name and domain of an address; `None` if the text is none. RFC 5321 allows more (quoted names, bare
/// hosts, addresses in brackets): nobody has these.
pub(super) fn email(text: &str) -> Option<(&str, &str)> {
    let (name, domain) = text.rsplit_once('@')?;
    let named = (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && name.chars().all(|c| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c));
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let (_, last) = domain.rsplit_once('.')?;
    let held = domain.len() <= 253
        && domain.split('.').all(label)
        && last.chars().count() >= 2
        && !last.bytes().all(|byte| byte.is_ascii_digit());
    (named && held && text.len() <= 254).then_some((name, domain))
}

/// How a country writes numbers (ITU-T E.164, and the numbering plans that its members announce to the
/// ITU): calling code, prefix for calls abroad, prefix within the country, digits of a number after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    code: &'static str,
    abroad: &'static str,
    within: &'static str,
    least: usize,
    most: usize,
}

/// The plan of the country that is said; `None` if none is.
///
/// # Errors
/// If there is no such country.
pub(super) fn plan(country: Option<&Value<'_>>, call: &Call<'_, '_>) -> Result<Option<Plan>, Failure> {
    match (call.made::<Plan>(), country) {
        (Some(plan), _) => Ok(Some(*plan)),
        (None, Some(Value::String(name))) => plan_of(name).map(Some),
        _ => Ok(None),
    }
}

/// Looks a constant country up once.
///
/// # Errors
/// If there is no such country.
pub(super) fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(1) {
        Some(Some(Value::String(name))) => Ok(Prepared::Made(Box::new(plan_of(name)?))),
        _ => Ok(Prepared::None),
    }
}

/// The digits of a number with its country code; `None` if the text is no number.
pub(super) fn phone(text: &str, plan: Option<Plan>) -> Option<Vec<u8>> {
    let text = text.trim();
    let text = text.strip_prefix("tel:").unwrap_or(text);
    // The prefix within the country in brackets is left out by whoever calls from abroad.
    let whole = text.starts_with('+') || text.starts_with("00");
    let text = if whole { text.replacen("(0)", "", 1) } else { text.to_string() };
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text.as_str()),
    };
    let mut digits = Vec::with_capacity(20);
    for character in rest.chars() {
        match character {
            '0'..='9' if digits.len() < 20 => digits.push(character as u8),
            ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '/' | '\u{2011}' | '\u{2013}' => {}
            _ => return None,
        }
    }
    if !plus {
        let plan = plan?;
        // In Italy and its like the zero belongs to the number.
        if let Some(abroad) = digits.strip_prefix(plan.abroad.as_bytes()) {
            digits = abroad.to_vec();
        } else {
            let national = digits.strip_prefix(plan.within.as_bytes()).unwrap_or(&digits);
            if !(plan.least..=plan.most).contains(&national.len()) {
                return None;
            }
            digits = [plan.code.as_bytes(), national].concat();
        }
    }
    if !(7..=15).contains(&digits.len()) || digits.first() == Some(&b'0') {
        return None;
    }
    let known = PLANS.iter().find(|(_, plan)| digits.starts_with(plan.code.as_bytes()));
    if let Some((_, known)) = known {
        let length = digits.len() - known.code.len();
        return (known.least..=known.most).contains(&length).then_some(digits);
    }
    Some(digits)
}

fn plan_of(name: &str) -> Result<Plan, Failure> {
    let Some(country) = data::country(name) else {
        return Err(Failure::value("no country has that code or name"));
    };
    let Country { alpha2, dial, .. } = *country;
    if let Some((_, plan)) = PLANS.iter().find(|(code, _)| *code == alpha2) {
        return Ok(*plan);
    }
    if dial.is_empty() {
        return Err(Failure::value("that country has no telephone numbers of its own"));
    }
    // Of the North American plan are also those that do not stand below.
    if dial == "1" {
        return Ok(NORTH_AMERICA);
    }
    Ok(Plan { code: dial, abroad: "00", within: "0", least: 4, most: 15 - dial.len() })
}

const fn of(code: &'static str, abroad: &'static str, within: &'static str, least: usize, most: usize) -> Plan {
    Plan { code, abroad, within, least, most }
}

/// The North American Numbering Plan.
const NORTH_AMERICA: Plan = of("1", "011", "1", 10, 10);

/// What differs from the usual (`00`, `0`), and where the length is known.
static PLANS: &[(&str, Plan)] = &[
    ("US", NORTH_AMERICA),
    ("CA", NORTH_AMERICA),
    ("AT", of("43", "00", "0", 4, 13)),
    ("AU", of("61", "0011", "0", 6, 10)),
    ("BE", of("32", "00", "0", 8, 9)),
    ("BR", of("55", "00", "0", 8, 11)),
    ("CH", of("41", "00", "0", 9, 9)),
    ("CN", of("86", "00", "0", 7, 12)),
    ("CZ", of("420", "00", "", 9, 9)),
    ("DE", of("49", "00", "0", 4, 13)),
    ("DK", of("45", "00", "", 8, 8)),
    ("EE", of("372", "00", "", 7, 8)),
    ("ES", of("34", "00", "", 9, 9)),
    ("FI", of("358", "00", "0", 5, 12)),
    ("FR", of("33", "00", "0", 9, 9)),
    ("GB", of("44", "00", "0", 7, 10)),
    ("GR", of("30", "00", "", 10, 10)),
    ("HK", of("852", "001", "", 8, 8)),
    ("HU", of("36", "00", "06", 8, 9)),
    ("IE", of("353", "00", "0", 7, 11)),
    ("IL", of("972", "00", "0", 8, 9)),
    ("IN", of("91", "00", "0", 8, 10)),
    ("IT", of("39", "00", "", 6, 12)),
    ("JP", of("81", "010", "0", 9, 10)),
    ("KR", of("82", "00", "0", 8, 11)),
    ("LU", of("352", "00", "", 4, 11)),
    ("LV", of("371", "00", "", 8, 8)),
    ("MX", of("52", "00", "", 10, 10)),
    ("NL", of("31", "00", "0", 9, 9)),
    ("NO", of("47", "00", "", 5, 8)),
    ("NZ", of("64", "00", "0", 8, 10)),
    ("PL", of("48", "00", "", 9, 9)),
    ("PT", of("351", "00", "", 9, 9)),
    ("RU", of("7", "810", "8", 10, 10)),
    ("KZ", of("7", "810", "8", 10, 10)),
    ("SE", of("46", "00", "0", 7, 13)),
    ("SG", of("65", "000", "", 8, 8)),
    ("TR", of("90", "00", "0", 10, 10)),
    ("ZA", of("27", "00", "0", 9, 9)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, country: &str, expected: &str) {
        let plan = (!country.is_empty()).then(|| plan_of(country).unwrap());
        let found = phone(text, plan).map(|digits| String::from_utf8(digits).unwrap()).unwrap_or_default();
        assert_eq!(found, expected, "{text} {country}");
    }

    #[test]
    fn numbers_as_people_write_them() {
        check("+44 20 7946 0018", "", "442079460018");
        check("020 7946 0018", "GB", "442079460018");
        check("(020) 7946-0018", "United Kingdom", "442079460018");
        check("tel:+1-202-555-0142", "", "12025550142");
        check("1-202-555-0142", "US", "12025550142");
        check("011 44 20 7946 0018", "US", "442079460018");
        check("06 1 234 5678", "HU", "3612345678");
        check("8 (495) 123-45-67", "RU", "74951234567");
        check("876 555 0142", "JM", "18765550142");
        check("0 22 1234567", "GH", "233221234567");
        for bad in
            ["", "+", "+0 12345678", "12", "+12345678901234567", "555-0142 ext. 12", "1-800-FLOWERS", "٠١٢٣٤٥٦٧٨٩"]
        {
            check(bad, "US", "");
        }
    }

    #[test]
    fn addresses_as_people_have_them() {
        for good in ["a@b.example", "o'neill+x@mail.b.example", "jörg@müller.example", "a@xn--mller-kva.example"] {
            assert!(email(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "@",
            "a@",
            "@b.example",
            "a b@c.example",
            ".a@b.example",
            "a..b@c.example",
            "a@b",
            "a@-b.example",
            "a@b..example",
            "a@1.2.3.4",
            "a@b.example ",
            "\"a b\"@c.example",
        ] {
            assert!(email(bad).is_none(), "{bad}");
        }
        assert!(email(&format!("{}@b.example", "a".repeat(65))).is_none());
    }
}
