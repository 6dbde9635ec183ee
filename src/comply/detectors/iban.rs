//! IBANs (ISO 13616).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::{is_alphanumeric, is_word};
use crate::expr::functions::checks;

pub(super) static DETECTOR: Detector = Detector {
    name: "iban",
    class: "financial.iban",
    about: "IBANs (ISO 13616): the length of the country in SWIFT's registry, and 97.",
    looks: &[Looks::Word {
        lengths: &[4, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34],
        alone: true,
        check,
    }],
    words: &["iban", "bankverbindung", "konto"],
    null_rate: 0.0003,
    shows: Shows::Number,
    finds: &[
        "DE89370400440532013000",
        "pay to GB29 NWBK 6016 1331 9268 19 please",
        "de89 3704 0044 0532 0130 00",
        "NL91-ABNA-0417-1643-00",
    ],
    finds_if_named: &[],
    passes: &[
        "DE88370400440532013000",
        "GB29 NWBK 6016 1331 9268 1",
        "ZZ89370400440532013000",
        "DE893704004405320130001",
    ],
};

/// The most bytes with separators between groups of four.
const MOST: usize = 34 + 8;

fn check(site: &Site<'_>) -> Option<Found> {
    let rest = &site.text[site.start..];
    let [first, second, tens, ones] = *rest.first_chunk::<4>()?;
    if !first.is_ascii_alphabetic() || !second.is_ascii_alphabetic() || !tens.is_ascii_digit() || !ones.is_ascii_digit()
    {
        return None;
    }
    let wanted = checks::iban_length([first.to_ascii_uppercase(), second.to_ascii_uppercase()])?;
    let mut held = [0; 34];
    let (mut count, mut at) = (0, 0);
    // What stands after the first four stands after each four.
    let separator = *rest.get(4)?;
    let grouped = !separator.is_ascii_alphanumeric();
    while count < wanted && at < MOST {
        match *rest.get(at)? {
            byte if byte.is_ascii_alphanumeric()
                && !(grouped && count > 0 && count % 4 == 0 && rest[at - 1] != separator) =>
            {
                held[count] = byte;
                count += 1;
            }
            // Groups of four, whatever the country.
            byte @ (b' ' | b'-')
                if byte == separator
                    && count % 4 == 0
                    && is_alphanumeric(rest, at + 1)
                    && is_alphanumeric(rest, at - 1) => {}
            _ => return None,
        }
        at += 1;
    }
    let text = std::str::from_utf8(&held[..count]).ok()?;
    (count == wanted && !is_word(rest, at) && checks::iban(text)).then_some(Found {
        start: site.start,
        end: site.start + at,
        grade: Grade::Certain,
    })
}
