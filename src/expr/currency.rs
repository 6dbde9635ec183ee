//! The currencies of ISO 4217, from one table.

use std::sync::LazyLock;

/// A currency.
#[derive(Clone, Copy, Debug)]
pub struct Currency {
    /// Three capital letters.
    pub code: &'static str,
    /// Three digits.
    pub number: &'static str,
    /// Digits of its minor unit; `None` where there is none (gold, testing).
    pub minor: Option<u32>,
    /// Its name in English.
    pub name: &'static str,
    /// Whether it is in use.
    pub current: bool,
}

static TABLE: LazyLock<Vec<Currency>> =
    LazyLock::new(|| include_str!("tables/currencies.csv").lines().filter_map(row).collect());

/// A line of the table; comments and what is no row are passed over, and a test finds those.
fn row(line: &'static str) -> Option<Currency> {
    let mut fields = line.split(',');
    let mut next = || fields.next().filter(|_| !line.starts_with('#'));
    let (code, number, minor, name, until) = (next()?, next()?, next()?, next()?, next()?);
    Some(Currency { code, number, minor: minor.parse().ok(), name, current: until.is_empty() })
}

/// The currency with this code (`EUR`) or number (`978`), withdrawn ones too. Codes are in capital letters.
pub fn find(text: &str) -> Option<&'static Currency> {
    if text.len() != 3 {
        return None;
    }
    match TABLE.binary_search_by_key(&text, |currency| currency.code) {
        Ok(index) => TABLE.get(index),
        // A number can stand for a withdrawn currency and its successor: that in use comes first.
        Err(_) => {
            let mut numbered = TABLE.iter().filter(|currency| currency.number == text);
            numbered.clone().find(|currency| currency.current).or_else(|| numbered.next())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let rows = include_str!("tables/currencies.csv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(TABLE.len(), rows);
        assert!(TABLE.is_sorted_by_key(|currency| currency.code));
        for currency in TABLE.iter() {
            assert!(currency.code.len() == 3 && currency.code.bytes().all(|b| b.is_ascii_uppercase()), "{currency:?}");
            assert!(currency.number.len() == 3 && currency.number.bytes().all(|b| b.is_ascii_digit()), "{currency:?}");
            assert!(currency.minor.is_none_or(|digits| digits <= 4) && !currency.name.is_empty(), "{currency:?}");
        }
    }

    #[test]
    fn currencies_are_found() {
        let minor = |text| find(text).and_then(|currency| currency.minor);
        assert_eq!(
            (minor("EUR"), minor("JPY"), minor("KWD"), minor("CLF"), minor("XAU")),
            (Some(2), Some(0), Some(3), Some(4), None)
        );
        assert_eq!(find("978").map(|currency| currency.code), Some("EUR"));
        assert_eq!(find("532").map(|currency| currency.code), Some("XCG"));
        assert!(find("eur").is_none() && find("EURO").is_none() && find("").is_none());
    }
}
