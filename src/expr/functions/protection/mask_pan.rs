//! Text in which payment card numbers show their last four digits only.

use std::ops::Range;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static MASK_PAN: Function = Function {
    spec: Spec {
        name: "mask_pan",
        aliases: &[],
        about: "Masks payment card numbers wherever they stand in text: 13 to 19 digits, single spaces or hyphens between them, whose check digit (Luhn) holds, become `*` and their last four digits. Of a list or map every text and whole number inside.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT.or(Kinds::LIST).or(Kinds::MAP), "The text, or a list or map with texts."),
            Parameter::new(
                "extent",
                Kinds::TEXT,
                "`any` (if not said) also finds a card number among other groups of digits (`4111 1111 1111 1111 123`); `whole` only one that stands alone.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Protects { from: &["pci.pan"], to: None },
        examples: &[
            Example::ok(r#"mask_pan("card 4111-1111-1111-1111 on file")"#, r#"card ************1111 on file"#),
            Example::ok(r#"mask_pan("order 4111111111111112")"#, r#"order 4111111111111112"#),
            Example::ok(r#"mask_pan("4111 1111 1111 1111 123")"#, r#"************1111 123"#),
            Example::ok(r#"mask_pan("4111 1111 1111 1111 123", "whole")"#, r#"4111 1111 1111 1111 123"#),
            Example::ok(r#"mask_pan(["a", "5500005555555559"])"#, r#"["a","************5559"]"#),
            Example::fails(r#"mask_pan(4111111111111111)"#, r#"wants string, list or map"#),
            Example::fails(r#"mask_pan("a", "some")"#, r#"`any` or `whole`"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

/// Where a card number is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Among other groups of digits too.
    Any,
    /// Only where nothing else stands beside it.
    Whole,
}

/// The fewest digits of a card number (ISO/IEC 7812 allows less, nobody issues them).
const LEAST: usize = 13;
/// The most (ISO/IEC 7812-1).
const MOST: usize = 19;
/// What of it may be shown (PCI DSS 3.4.1 allows more: the first digits too).
const SHOWN: usize = 4;
/// A group among others that belongs to a card number has at least so many digits, its last group excepted.
const GROUP: usize = 4;

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let extent = match (call.prepared, arguments.get(1)) {
        (Prepared::Extent(extent), _) => *extent,
        (_, Some(Value::String(name))) => extent(name)?,
        (_, None) => Extent::Any,
        _ => return Err(super::misuse()),
    };
    let Some(value) = arguments.first() else { return Err(super::misuse()) };
    Ok(masked(value, extent, call)?.unwrap_or(*value))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(1) {
        Some(Some(Value::String(name))) => extent(name).map(Prepared::Extent),
        Some(_) => Ok(Prepared::None),
        None => Ok(Prepared::Extent(Extent::Any)),
    }
}

fn extent(name: &str) -> Result<Extent, Failure> {
    match name {
        "any" => Ok(Extent::Any),
        "whole" => Ok(Extent::Whole),
        _ => Err(Failure::value("the extent is `any` or `whole`")),
    }
}

/// The value with its card numbers masked; `None` if there are none.
#[inline]
fn masked<'a>(value: &Value<'a>, extent: Extent, call: &Call<'_, 'a>) -> Result<Option<Value<'a>>, Failure> {
    match value {
        Value::String(text) if text.len() < LEAST => Ok(None),
        Value::String(text) => Ok(text_masked(text, extent, call)?.map(Value::String)),
        Value::List(_) | Value::Map(_) | Value::Dict(_) => inside(value, extent, call),
        _ => number_masked(value, call),
    }
}

fn inside<'a>(value: &Value<'a>, extent: Extent, call: &Call<'_, 'a>) -> Result<Option<Value<'a>>, Failure> {
    match value {
        Value::List(items) => {
            let made = changed(items, call, |item| masked(item, extent, call))?;
            Ok(made.map(Value::List))
        }
        Value::Map(entries) => {
            let made = changed(entries, call, |(key, value)| {
                free_of_numbers(key, extent)?;
                Ok(masked(value, extent, call)?.map(|value| (*key, value)))
            })?;
            Ok(made.map(Value::Map))
        }
        Value::Dict(entries) => {
            let made = changed(entries, call, |(key, value)| {
                if let Value::String(key) = key {
                    free_of_numbers(key, extent)?;
                }
                Ok(masked(value, extent, call)?.map(|value| (*key, value)))
            })?;
            Ok(made.map(Value::Dict))
        }
        _ => Ok(None),
    }
}

/// The items with those replaced that change; `None` if none does, so that nothing is copied.
fn changed<'a, T: Copy>(
    items: &[T],
    call: &Call<'_, 'a>,
    mut change: impl FnMut(&T) -> Result<Option<T>, Failure>,
) -> Result<Option<&'a [T]>, Failure> {
    for (index, item) in items.iter().enumerate() {
        let Some(first) = change(item)? else { continue };
        let mut made = call.list(items.len())?;
        made.extend_from_slice(&items[..index]);
        made.push(first);
        for item in &items[index + 1..] {
            made.push(change(item)?.unwrap_or(*item));
        }
        return Ok(Some(made.into_bump_slice()));
    }
    Ok(None)
}

/// A key cannot be masked: two that end alike would become one.
fn free_of_numbers(key: &str, extent: Extent) -> Result<(), Failure> {
    match find(key.as_bytes(), 0, extent) {
        None => Ok(()),
        Some(_) => Err(Failure::value("a key of the map holds a card number, and keys cannot be masked")),
    }
}

/// A whole number inside of a list or map that is a card number becomes text.
fn number_masked<'a>(value: &Value<'a>, call: &Call<'_, 'a>) -> Result<Option<Value<'a>>, Failure> {
    let short = match value {
        Value::Number(text) => text.len() < LEAST,
        Value::Int(number) => number.unsigned_abs() < 10_u64.pow(LEAST as u32 - 1),
        Value::Uint(number) => *number < 10_u64.pow(LEAST as u32 - 1),
        Value::Decimal(number) => number.scale() > 0,
        _ => true,
    };
    if short {
        return Ok(None);
    }
    let mut digits = Vec::new();
    crate::expr::format_value(value, &mut digits);
    let is_card = (LEAST..=MOST).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) && luhn(&digits);
    if !is_card {
        return Ok(None);
    }
    let mut out = call.text(digits.len())?;
    put(&digits, &mut out);
    Ok(Some(Value::String(out.into_bump_str())))
}

fn text_masked<'a>(text: &str, extent: Extent, call: &Call<'_, 'a>) -> Result<Option<&'a str>, Failure> {
    let bytes = text.as_bytes();
    let Some(first) = find(bytes, 0, extent) else { return Ok(None) };
    let mut out = call.text(text.len())?;
    let (mut next, mut from) = (Some(first), 0);
    while let Some(number) = next {
        // Card numbers begin and end with a digit: the cuts lie between characters.
        out.push_str(&text[from..number.start]);
        let digits: ([u8; MOST], usize) = digits(&bytes[number.clone()]);
        put(&digits.0[..digits.1], &mut out);
        from = number.end;
        next = find(bytes, from, extent);
    }
    out.push_str(&text[from..]);
    Ok(Some(out.into_bump_str()))
}

/// Writes the digits of a card number, all but the last as stars.
fn put(digits: &[u8], out: &mut bumpalo::collections::String<'_>) {
    for (index, digit) in digits.iter().enumerate() {
        out.push(if index + SHOWN < digits.len() { '*' } else { char::from(*digit) });
    }
}

/// The next card number at or after a byte; no digit stands before that byte.
fn find(bytes: &[u8], from: usize, extent: Extent) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        let row = next_row(bytes, from)?;
        if let Some(number) = in_row(bytes, row.clone(), extent) {
            return Some(number);
        }
        from = row.end;
    }
}

/// The next row of digits, single spaces or hyphens between them, that has digits enough.
///
/// Of any two bytes that stand side by side in a row one is a digit. So where two side by side
/// are none, no row goes across: one look in twelve bytes finds every row.
#[inline]
fn next_row(bytes: &[u8], mut from: usize) -> Option<Range<usize>> {
    const STRIDE: usize = LEAST - 1;
    loop {
        let [a, b] = *bytes.get(from + STRIDE - 1..)?.first_chunk::<2>()?;
        if !a.is_ascii_digit() && !b.is_ascii_digit() {
            from += STRIDE;
            continue;
        }
        let inside = from + STRIDE - usize::from(a.is_ascii_digit());
        let mut start = inside;
        while start > from {
            if bytes[start - 1].is_ascii_digit() {
                start -= 1;
            } else if start > from + 1 && separates(bytes[start - 1]) && bytes[start - 2].is_ascii_digit() {
                start -= 2;
            } else {
                break;
            }
        }
        let end = row_end(bytes, inside);
        if bytes[start..end].iter().filter(|byte| byte.is_ascii_digit()).count() >= LEAST {
            return Some(start..end);
        }
        from = end;
    }
}

/// The end of the row that has a digit at `at`.
fn row_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    loop {
        match bytes.get(end..) {
            Some([digit, ..]) if digit.is_ascii_digit() => end += 1,
            Some([between, digit, ..]) if separates(*between) && digit.is_ascii_digit() => end += 2,
            _ => return end,
        }
    }
}

fn separates(byte: u8) -> bool {
    matches!(byte, b' ' | b'-')
}

/// The first card number of a row.
fn in_row(bytes: &[u8], row: Range<usize>, extent: Extent) -> Option<Range<usize>> {
    if is_card(&bytes[row.clone()]) {
        return Some(row);
    }
    if extent == Extent::Whole {
        return None;
    }
    // Groups side by side. Small ones do not count, or every table of numbers would hold cards.
    let group_end =
        |start: usize| bytes[start..row.end].iter().position(|b| separates(*b)).map_or(row.end, |at| start + at);
    let mut start = row.start;
    while start < row.end {
        let (mut from, mut count, mut found) = (start, 0, None);
        loop {
            let end = group_end(from);
            count += end - from;
            if count > MOST {
                break;
            }
            if count >= LEAST && is_card(&bytes[start..end]) {
                found = Some(start..end);
            }
            if end - from < GROUP || end == row.end {
                break;
            }
            from = end + 1;
        }
        if found.is_some() {
            return found;
        }
        start = group_end(start) + 1;
    }
    None
}

fn is_card(row: &[u8]) -> bool {
    let (digits, count) = digits(row);
    (LEAST..=MOST).contains(&count) && luhn(&digits[..count])
}

/// The digits of a row, as far as a card number has them, and how many there are.
fn digits(row: &[u8]) -> ([u8; MOST], usize) {
    let (mut digits, mut count) = ([0; MOST], 0);
    for digit in row.iter().filter(|byte| byte.is_ascii_digit()) {
        if let Some(place) = digits.get_mut(count) {
            *place = *digit;
        }
        count += 1;
    }
    (digits, count)
}

/// The check of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    const DOUBLED: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = usize::from(digit - b'0') % 10;
            if index % 2 == 1 { DOUBLED[digit] } else { digit as u32 }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use crate::expr::Seed;
    use crate::record::{Arena, Decimal, Timestamp};

    fn with<T>(work: impl FnOnce(&Call<'_, '_>) -> T) -> T {
        let (arena, spent) = (Arena::new(), Cell::new(0));
        let now = Timestamp { seconds: 0, nanos: 0, offset: 0 };
        let (moment, drawn) = (now.into(), Cell::new(0));
        let seed = Seed { moment: &moment, salt: 0, drawn: &drawn };
        work(&Call { arena: &arena, now, seed, prepared: &Prepared::None, cel: false, spent: &spent })
    }

    fn mask(text: &str, extent: Extent) -> String {
        with(|call| text_masked(text, extent, call).unwrap().unwrap_or(text).to_string())
    }

    #[track_caller]
    fn check(text: &str, any: &str, whole: &str) {
        assert_eq!((mask(text, Extent::Any).as_str(), mask(text, Extent::Whole).as_str()), (any, whole), "{text}");
    }

    #[test]
    fn numbers_are_found_where_they_stand() {
        let same = |text: &str| check(text, text, text);
        let both = |text: &str, masked: &str| check(text, masked, masked);
        both("4111111111111111", "************1111");
        both("é4111-1111-1111-1111é", "é************1111é");
        both("a 3782 822463 10005 b", "a ***********0005 b");
        both("4222222222222.", "*********2222.");
        both("6304 0000 0000 0000 000", "***************0000");
        both("4111111111111111, 5500005555555559;", "************1111, ************5559;");
        both("4111111111111111  5500005555555559", "************1111  ************5559");
        same("");
        same("4111 1111 1111 1112");
        same("411111111111");
        same("x41111111111111110000000000000y");
        same("2024-03-31 12:30:00, 2024-04-01");
        same("4111  1111  1111  1111");
        same("4111_1111_1111_1111");
        // What stands beside it does not hide it.
        check("4111 1111 1111 1111 123", "************1111 123", "4111 1111 1111 1111 123");
        check("4111111111111111 12-26", "************1111 12-26", "4111111111111111 12-26");
        check("2024-03-31 4111111111111111", "2024-03-31 ************1111", "2024-03-31 4111111111111111");
        check(
            "4111111111111111 5500005555555559",
            "************1111 ************5559",
            "4111111111111111 5500005555555559",
        );
        // Small groups do not add up to one.
        same("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 9");
    }

    #[test]
    fn lists_and_maps_are_looked_through() {
        let card = Value::String("4111111111111111");
        let items =
            [Value::Null, Value::Number("4111111111111111"), Value::Number("4111111111111111.0"), Value::Int(7)];
        let nested = [Value::List(&items), Value::Decimal(Decimal::from_i64(5_500_005_555_555_559)), card];
        let entries = [("a", Value::String("b")), ("list", Value::List(&nested))];
        with(|call| {
            let found = masked(&Value::Map(&entries), Extent::Any, call).unwrap().unwrap();
            let mut text = Vec::new();
            crate::expr::format_value(&found, &mut text);
            assert_eq!(
                String::from_utf8(text).unwrap(),
                r#"{"a":"b","list":[[null,"************1111",4111111111111111.0,7],"************5559","************1111"]}"#
            );
            assert!(masked(&Value::Map(&entries[..1]), Extent::Any, call).unwrap().is_none());
            let key = [("4111111111111111", Value::Null)];
            let refused = masked(&Value::Map(&key), Extent::Any, call).unwrap_err();
            assert!(!refused.cause.contains('4'), "{}", refused.cause);
        });
    }

    /// The definition, as plainly as it can be said.
    fn plainly(text: &str) -> String {
        let row = regex::Regex::new("[0-9](?:[ -]?[0-9])*").unwrap();
        let replaced = row.replace_all(text, |found: &regex::Captures<'_>| {
            let digits: Vec<u8> = found[0].bytes().filter(u8::is_ascii_digit).collect();
            let sum: u32 = (digits.iter().rev().enumerate())
                .map(|(index, digit)| u32::from(digit - b'0') * (1 + index as u32 % 2))
                .map(|product| product / 10 + product % 10)
                .sum();
            if (13..=19).contains(&digits.len()) && sum.is_multiple_of(10) {
                let last = String::from_utf8(digits[digits.len() - 4..].to_vec()).unwrap();
                return format!("{}{last}", "*".repeat(digits.len() - 4));
            }
            found[0].to_string()
        });
        replaced.into_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(512), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_row_is_seen(text in "(([0-9]{1,6}[ -]?){1,8}|[a-z ,é-]{0,14}|4111111111111111|0{13,20}){0,6}") {
            prop_assert_eq!(mask(&text, Extent::Whole), plainly(&text));
        }

        #[test]
        fn a_card_shows_its_last_four_wherever_it_stands(
            body in "[0-9]{12,18}", separators in "[ x-]{18}", before in "[a-zé .]{0,30}", after in "[a-zé .][a-z0-9 ]{0,30}"
        ) {
            let check = (b'0'..=b'9').find(|digit| luhn(&[body.as_bytes(), &[*digit]].concat())).unwrap();
            let digits = [body.as_bytes(), &[check]].concat();
            let mut written = String::new();
            for (index, digit) in digits.iter().enumerate() {
                // `x` stands for no separator.
                let between = separators.as_bytes()[index.saturating_sub(1)];
                if index > 0 && between != b'x' {
                    written.push(char::from(between));
                }
                written.push(char::from(*digit));
            }
            for extent in [Extent::Any, Extent::Whole] {
                let found = mask(&format!("{before}. {written}. {after}"), extent);
                prop_assert!(!found.contains(&written), "{found}");
                let last = std::str::from_utf8(&digits[digits.len() - 4..]).unwrap();
                let stars = "*".repeat(digits.len() - 4);
                let expected = format!("{before}. {stars}{last}. ");
                prop_assert!(found.starts_with(&expected), "{found}");
            }
        }

        #[test]
        fn a_short_group_beside_it_hides_no_card(body in "[0-9]{15}", between in "[ -]", beside in "[0-9]{1,3}") {
            let check = (b'0'..=b'9').find(|digit| luhn(&[body.as_bytes(), &[*digit]].concat())).unwrap();
            let digits = format!("{body}{}", char::from(check));
            let card = format!("{}{between}{}{between}{}{between}{}", &digits[..4], &digits[4..8], &digits[8..12], &digits[12..]);
            let found = mask(&format!("{card}{between}{beside}"), Extent::Any);
            prop_assert!(found.starts_with("************") && !found.contains(&digits[8..]), "{found}");
        }
    }
}
