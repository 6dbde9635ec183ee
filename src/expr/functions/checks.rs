//! Numbers that check themselves: the rules of their standards.

use crate::record::Value;

/// The most digits that a number with a check digit has here.
const MOST: usize = 32;

/// The digits of a text, spaces and hyphens passed over; `None` if it holds anything else, or too many.
pub(crate) fn digits(text: &str) -> Option<Digits> {
    let mut digits = Digits { held: [0; MOST], count: 0 };
    for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
        if !byte.is_ascii_digit() {
            return None;
        }
        *digits.held.get_mut(digits.count)? = byte - b'0';
        digits.count += 1;
    }
    Some(digits)
}

/// A row of digits, each 0 to 9.
pub(crate) struct Digits {
    held: [u8; MOST],
    count: usize,
}

impl std::ops::Deref for Digits {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.held[..self.count]
    }
}

/// A digit as text.
pub(crate) fn digit(digit: u8) -> Value<'static> {
    const TEXT: &str = "0123456789";
    let at = usize::from(digit % 10);
    Value::String(TEXT.get(at..=at).unwrap_or_default())
}

/// The digit that makes the others hold by Luhn: ISO/IEC 7812-1, annex B.
pub(crate) fn luhn_digit(digits: &[u8]) -> u8 {
    let sum: u32 = (digits.iter().rev().enumerate())
        .map(|(index, digit)| if index % 2 == 0 { u32::from(*digit) * 2 } else { u32::from(*digit) })
        .map(|doubled| doubled / 10 + doubled % 10)
        .sum();
    ((10 - sum % 10) % 10) as u8
}

/// The check digit of GS1 numbers: weights 3 and 1 from the right (GS1 General Specifications, 7.9).
pub(crate) fn gs1_digit(digits: &[u8]) -> u8 {
    let sum: u32 = (digits.iter().rev().enumerate())
        .map(|(index, digit)| u32::from(*digit) * if index % 2 == 0 { 3 } else { 1 })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

pub(crate) fn luhn(text: &str) -> bool {
    digits(text).is_some_and(|digits| holds(&digits, 2, luhn_digit))
}

pub(crate) fn gtin(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain && matches!(text.len(), 8 | 12 | 13 | 14) && digits(text).is_some_and(|digits| holds(&digits, 8, gs1_digit))
}

/// A US National Provider Identifier: Luhn over the prefix 80840 and its digits (45 CFR 162.406).
pub(crate) fn npi(text: &str) -> bool {
    text.len() == 10 && digits(text).is_some_and(|digits| npi_holds(&digits))
}

/// [`npi`] of digits from 0 to 9.
pub(crate) fn npi_holds(digits: &[u8]) -> bool {
    let mut whole = [8, 0, 8, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let Some(first) = digits.first().filter(|_| digits.len() == 10) else { return false };
    whole[5..].copy_from_slice(digits);
    matches!(first, 1 | 2) && holds(&whole, 15, luhn_digit)
}

/// A routing number of the American Bankers Association.
pub(crate) fn aba(text: &str) -> bool {
    text.len() == 9 && digits(text).is_some_and(|digits| aba_holds(&digits))
}

/// [`aba`] of digits from 0 to 9: weights 3, 7, 1.
pub(crate) fn aba_holds(digits: &[u8]) -> bool {
    let [tens, ones, ..] = digits else { return false };
    let sum: u32 = digits.iter().zip([3, 7, 1].iter().cycle()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    digits.len() == 9 && matches!(tens * 10 + ones, 0..=12 | 21..=32 | 61..=72 | 80) && sum.is_multiple_of(10)
}

/// ISO 2108, of either length; the check character of the short form counts to ten.
pub(crate) fn isbn(text: &str) -> bool {
    if let Some(digits) = digits(text)
        && digits.len() == 13
    {
        return digits.starts_with(&[9, 7]) && matches!(digits[2], 8 | 9) && holds(&digits, 13, gs1_digit);
    }
    weighted(text, 10)
}

/// ISO 3297.
pub(crate) fn issn(text: &str) -> bool {
    weighted(text, 8)
}

/// So many characters with falling weights down to 1, the sum a multiple of 11; the last one may be X for ten.
fn weighted(text: &str, length: u32) -> bool {
    let (mut sum, mut count) = (0, 0);
    for character in text.chars().filter(|character| !matches!(character, ' ' | '-')) {
        if count == length {
            return false;
        }
        let value = match character {
            'X' | 'x' if count + 1 == length => 10,
            other => match other.to_digit(10) {
                Some(digit) => digit,
                None => return false,
            },
        };
        sum += value * (length - count);
        count += 1;
    }
    count == length && sum % 11 == 0
}

/// ISO 13616: the length of the country, and 97 as everywhere in ISO 7064.
pub(crate) fn iban(text: &str) -> bool {
    let (mut held, mut count) = ([0_u8; 34], 0);
    for byte in text.bytes().filter(|byte| *byte != b' ') {
        let Some(place) = held.get_mut(count) else { return false };
        *place = byte.to_ascii_uppercase();
        count += 1;
    }
    let plain = &held[..count];
    let Some((head, rest)) = plain.split_first_chunk::<4>() else { return false };
    let length = IBAN_LENGTHS.binary_search_by_key(&[head[0], head[1]], |(country, _)| **country);
    length.is_ok_and(|at| IBAN_LENGTHS[at].1 == count)
        && head[2..].iter().all(u8::is_ascii_digit)
        && mod97(rest.iter().chain(head).copied()) == Some(1)
}

/// The length of a country's IBANs, by its two letters.
pub(crate) fn iban_length(country: [u8; 2]) -> Option<usize> {
    let at = IBAN_LENGTHS.binary_search_by_key(&country, |(known, _)| **known).ok()?;
    Some(IBAN_LENGTHS[at].1)
}

/// ISO 17442.
pub(crate) fn lei(text: &str) -> bool {
    let ends = text.bytes().skip(18).all(|byte| byte.is_ascii_digit());
    text.len() == 20 && ends && mod97(text.bytes()) == Some(1)
}

/// The remainder by 97 of digits and capital letters, A as 10 (ISO 7064, MOD 97-10).
fn mod97(bytes: impl Iterator<Item = u8>) -> Option<u32> {
    let mut rest = 0;
    for byte in bytes {
        rest = match byte {
            b'0'..=b'9' => rest * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => rest * 100 + u32::from(byte - b'A') + 10,
            _ => return None,
        } % 97;
    }
    Some(rest)
}

/// ISO 9362: party, country, place, and a branch or none.
pub(crate) fn bic(text: &str) -> bool {
    let bytes = text.as_bytes();
    let upper = |part: &[u8]| part.iter().all(u8::is_ascii_uppercase);
    let both = |part: &[u8]| part.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let (Some(party), Some(country), Some(rest)) = (bytes.get(..4), text.get(4..6), bytes.get(6..)) else {
        return false;
    };
    matches!(bytes.len(), 8 | 11)
        && both(party)
        && upper(country.as_bytes())
        && (country == "XK" || super::data::country(country).is_some())
        && both(rest)
}

/// ISO 6166: Luhn over the digits that letters stand for.
pub(crate) fn isin(text: &str) -> bool {
    let bytes = text.as_bytes();
    let form = bytes.len() == 12
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..11].iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && bytes[11].is_ascii_digit();
    if !form {
        return false;
    }
    let mut spelt = String::with_capacity(24);
    for character in text.chars() {
        spelt.push_str(&character.to_digit(36).unwrap_or_default().to_string());
    }
    luhn(&spelt)
}

/// ISO 3779, with the check digit of 49 CFR 565.15 where it is the law.
pub(crate) fn vin(text: &str) -> bool {
    let bytes = text.as_bytes();
    vin_digit(bytes).is_some_and(|holds| holds || !matches!(bytes[0], b'1'..=b'5'))
}

/// Whether the check digit of 49 CFR 565.15 holds; `None` if it is not 17 characters of ISO 3779.
pub(crate) fn vin_digit(bytes: &[u8]) -> Option<bool> {
    if bytes.len() != 17 {
        return None;
    }
    let mut sum = 0;
    for (byte, weight) in bytes.iter().zip([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]) {
        let value = match byte.to_ascii_uppercase() {
            digit @ b'0'..=b'9' => digit - b'0',
            letter @ b'A'..=b'H' => letter - b'A' + 1,
            letter @ b'J'..=b'N' => letter - b'J' + 1,
            b'P' => 7,
            b'R' => 9,
            letter @ b'S'..=b'Z' => letter - b'S' + 2,
            _ => return None,
        };
        sum += u32::from(value) * weight;
    }
    let expected = if sum % 11 == 10 { b'X' } else { b'0' + (sum % 11) as u8 };
    Some(bytes[8].to_ascii_uppercase() == expected)
}

fn holds(digits: &[u8], least: usize, check: fn(&[u8]) -> u8) -> bool {
    match digits.split_last() {
        Some((last, others)) => digits.len() >= least && check(others) == *last,
        None => false,
    }
}

/// Characters of the IBANs of each country: the IBAN Registry of SWIFT, the registration authority of ISO 13616.
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(rule(text), "{text} is good");
        }
        // Nothing but the right text of the right length passes.
        for text in bad.iter().chain(&["", " ", "é", "0", "-", "999999999999999999999999999999999999999999"]) {
            assert!(!rule(text), "{text} is bad");
        }
    }

    #[test]
    fn published_numbers_hold() {
        check(luhn, &["79927398713", "4111-1111-1111-1111", "378282246310005"], &["79927398710", "411111111111111x"]);
        check(
            iban,
            &[
                "GB29NWBK60161331926819",
                "de89 3704 0044 0532 0130 00",
                "NO9386011117947",
                "MT84MALT011000012345MTLCAST001S",
                "SE4550000000058398257466",
            ],
            &["GB29NWBK6016133192681", "GB30NWBK60161331926819", "ZZ29NWBK60161331926819", "GBééNWBK60161331926819"],
        );
        check(lei, &["54930084UKLVMY22DS16", "213800WSGIIZCXF1P572"], &["54930084UKLVMY22DS6", "54930084uklvmy22ds16"]);
        check(bic, &["DEUTDEFF", "DEUTDEFF500", "DSBACNBXSHA"], &["DEUTDEF", "deutdeff", "DEUTZZFF", "DEU\u{e9}DEFF"]);
        check(isin, &["US0378331005", "AU0000XVGZA3", "GB0002634946"], &["US0378331004", "0S0378331005"]);
        check(
            vin,
            &["1M8GDM9AXKP042788", "1m8gdm9axkp042788", "11111111111111111", "1G4AH59H45G118341", "WVWZZZ1JZXW000001"],
            &["1M8GDM9A0KP042788", "1M8GDM9AXKP04278", "WVWZZZ1JZXW00000O"],
        );
        check(npi, &["1234567893", "1245319599"], &["1234567894", "3234567893", "123456789"]);
        check(aba, &["111000025", "021000021", "011401533"], &["111000026", "511000025", "1110-00025"]);
        check(
            gtin,
            &["6291041500213", "4006381333931", "036000291452", "96385074", "10012345678902"],
            &["6291041500212", "629104150021", "6291-041500213"],
        );
        check(
            isbn,
            &["0306406152", "978-0-306-40615-7", "0-8044-2957-X"],
            &["0306406153", "9770306406157", "X306406152"],
        );
        check(issn, &["0378-5955", "2434-561X"], &["0378-5954", "X378-5955"]);
    }

    #[test]
    fn countries_are_in_order() {
        assert!(IBAN_LENGTHS.is_sorted());
        assert!(IBAN_LENGTHS.iter().all(|(_, length)| (15..=34).contains(length)));
    }

    #[test]
    fn a_changed_digit_is_seen() {
        for (rule, good) in
            [(luhn as fn(&str) -> bool, "79927398713"), (gtin, "6291041500213"), (iban, "NO9386011117947")]
        {
            for at in 2..good.len() {
                let other = (good.as_bytes()[at] - b'0' + 1) % 10;
                let changed = format!("{}{other}{}", &good[..at], &good[at + 1..]);
                assert!(!rule(&changed), "{changed}");
            }
        }
    }
}
