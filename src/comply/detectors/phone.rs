//! Telephone numbers.

use super::{Detector, Digits, Found, Grade, Layout, Looks, Shows, Site};
use crate::comply::detect::{is_word, skip};

pub(super) static DETECTOR: Detector = Detector {
    name: "phone",
    class: "pii.contact.phone",
    about: "Telephone numbers: international ones from a plus and a country code on, national ones where a name says so.",
    looks: &[
        Looks::Mark { byte: b'+', check: international },
        Looks::Mark { byte: b'(', check: area },
        Looks::Digits {
            layouts: &[
                Layout::weak("3*3*4"),
                Layout::weak("3_4"),
                Layout::weak("10"),
                Layout::weak("11"),
                Layout::weak("7"),
                Layout::weak("8"),
                Layout::weak("9"),
                Layout::weak("1*3*3*4"),
                Layout::weak("2*2*2*2*2"),
                Layout::weak("5_6"),
                Layout::weak("4_7"),
                Layout::weak("3_8"),
                Layout::weak("4_6"),
                Layout::weak("5_5"),
                Layout::weak("3_7"),
                Layout::weak("2_8"),
                Layout::weak("2_4_4"),
                Layout::weak("3_3_3"),
                Layout::weak("3_2_2_2"),
                Layout::weak("3_3_2_2"),
                Layout::weak("4_3_3"),
                Layout::weak("4_8"),
                Layout::weak("5_3_3"),
            ],
            check: national,
        },
        Looks::Whole(whole),
    ],
    words: &[
        "phone",
        "telephone",
        "tel",
        "mobile",
        "cell",
        "fax",
        "telefon",
        "handy",
        "téléphone",
        "teléfono",
        "móvil",
        "mobil",
        "phone number",
        "rufnummer",
        "portable",
        "celular",
        "call",
        "msisdn",
    ],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["+49 30 901820", "call +1 (212) 555-0123 now", "+41794567890"],
    finds_if_named: &["212-555-0123", "030 / 901820-11", "(0)30 901820"],
    passes: &["+12", "+999", "12-34", "1.5"],
};

fn international(site: &Site<'_>) -> Option<Found> {
    if is_word(site.text, site.start.wrapping_sub(1)) {
        return None;
    }
    let (count, end, first) = read(site.text, site.end)?;
    let code = code_length(first)?;
    (count >= code + 6 && count <= 15).then_some(Found { start: site.start, end, grade: Grade::Likely })
}

/// `(212) 555-0123`.
fn area(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let close = site.end + 3;
    if text.get(close) != Some(&b')')
        || !text[site.end..close].iter().all(u8::is_ascii_digit)
        || !matches!(text[site.end], b'2'..=b'9')
    {
        return None;
    }
    let next = skip(text, close + 1, |byte| byte == b' ');
    if next > close + 2 || !matches!(text.get(next), Some(b'2'..=b'9')) {
        return None;
    }
    let (count, end, _) = read(text, next)?;
    (count == 7 && end - next <= 8).then_some(Found { start: site.start, end, grade: Grade::Likely })
}

fn national(digits: &Digits<'_>) -> Option<Grade> {
    (!digits.is_uniform() && digits.len() <= 13).then_some(Grade::Weak)
}

/// Anything with the digits of a number and what people put between them.
fn whole(text: &str) -> Option<Grade> {
    let count = text.bytes().filter(u8::is_ascii_digit).count();
    let number =
        text.split(['x', 'X', '#']).next().unwrap_or(text).trim_end_matches("ext").trim_end_matches("Ext. ").trim();
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || b" -./()+".contains(&byte));
    (plain && !number.starts_with("+0") && (7..=17).contains(&count) && text.len() <= 32).then_some(Grade::Weak)
}

/// Reads digits with single separators (an area in brackets among them): how many, where they end, and the
/// first three.
fn read(text: &[u8], from: usize) -> Option<(usize, usize, u32)> {
    let (mut at, mut count, mut end, mut first) = (from, 0, from, 0);
    let mut gap = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'0'..=b'9' => {
                if count < 3 {
                    first = first * 10 + u32::from(byte - b'0');
                }
                count += 1;
                gap = 0;
                end = at + 1;
                if count > 15 {
                    return None;
                }
            }
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' if gap < 2 && count > 0 => gap += 1,
            _ => break,
        }
        at += 1;
    }
    (count > 0 && !is_word(text, end)).then_some((count, end, first))
}

/// How many digits the country code has that a number begins with (ITU-T E.164); `None` if there is none.
fn code_length(first: u32) -> Option<usize> {
    match first {
        100..=199 | 700..=799 => Some(1),
        200..=209
        | 270..=279
        | 300..=349
        | 360..=369
        | 390..=419
        | 430..=499
        | 510..=589
        | 600..=669
        | 810..=829
        | 840..=849
        | 860..=869
        | 900..=959
        | 980..=989 => Some(2),
        210..=269
        | 290..=299
        | 350..=359
        | 370..=389
        | 420..=429
        | 500..=509
        | 590..=599
        | 670..=699
        | 800..=809
        | 850..=859
        | 870..=889
        | 960..=979
        | 990..=999 => Some(3),
        _ => None,
    }
}
