//! The functions of the language, one file each.
//!
//! Adding one: a file here with its description and its code, its `mod` line and its line in [`ALL`].

mod spec;

mod abs;
mod base64_decode;
mod base64_encode;
mod bit_and;
mod bit_not;
mod bit_or;
mod bit_shift_left;
mod bit_shift_right;
mod bit_xor;
mod bool;
mod bytes;
mod ceil;
mod char_at;
mod coalesce;
mod contains;
mod date;
mod date_of;
mod decimal;
mod div;
mod double;
mod duration;
mod ends_with;
mod floor;
mod format;
mod format_time;
mod get_date;
mod get_day_of_month;
mod get_day_of_week;
mod get_day_of_year;
mod get_full_year;
mod get_hours;
mod get_milliseconds;
mod get_minutes;
mod get_month;
mod get_seconds;
mod index_of;
mod int;
mod is_finite;
mod is_inf;
mod is_nan;
mod join;
mod last_index_of;
mod lower;
mod lower_ascii;
mod mask;
mod mask_email;
mod mask_pan;
mod matches;
mod max;
mod min;
mod now;
mod pad_left;
mod quote;
mod replace;
mod reverse;
mod round;
mod sha256;
mod sign;
mod size;
mod split;
mod starts_with;
mod string;
mod substring;
mod sum;
mod timestamp;
mod trim;
mod trunc;
mod type_of;
mod uint;
mod upper;
mod upper_ascii;

use std::cmp::Ordering;
use std::sync::LazyLock;

use crate::record::decimal::Rounding;
use crate::record::{Timestamp, Value};

use super::operators;
use super::zone::Zone;

pub use spec::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepare, Prepared, Returns, Spec};

/// Every function.
pub const ALL: &[&Function] = &[
    &abs::ABS,
    &base64_decode::BASE64_DECODE,
    &base64_encode::BASE64_ENCODE,
    &bit_and::BIT_AND,
    &bit_not::BIT_NOT,
    &bit_or::BIT_OR,
    &bit_shift_left::BIT_SHIFT_LEFT,
    &bit_shift_right::BIT_SHIFT_RIGHT,
    &bit_xor::BIT_XOR,
    &bool::BOOL,
    &bytes::BYTES,
    &ceil::CEIL,
    &char_at::CHAR_AT,
    &coalesce::COALESCE,
    &contains::CONTAINS,
    &date::DATE,
    &date_of::DATE_OF,
    &decimal::DECIMAL,
    &div::DIV,
    &double::DOUBLE,
    &duration::DURATION,
    &ends_with::ENDS_WITH,
    &floor::FLOOR,
    &format::FORMAT,
    &format_time::FORMAT_TIME,
    &get_date::GET_DATE,
    &get_day_of_month::GET_DAY_OF_MONTH,
    &get_day_of_week::GET_DAY_OF_WEEK,
    &get_day_of_year::GET_DAY_OF_YEAR,
    &get_full_year::GET_FULL_YEAR,
    &get_hours::GET_HOURS,
    &get_milliseconds::GET_MILLISECONDS,
    &get_minutes::GET_MINUTES,
    &get_month::GET_MONTH,
    &get_seconds::GET_SECONDS,
    &index_of::INDEX_OF,
    &int::INT,
    &is_finite::IS_FINITE,
    &is_inf::IS_INF,
    &is_nan::IS_NAN,
    &join::JOIN,
    &last_index_of::LAST_INDEX_OF,
    &lower::LOWER,
    &lower_ascii::LOWER_ASCII,
    &mask::MASK,
    &mask_email::MASK_EMAIL,
    &mask_pan::MASK_PAN,
    &matches::MATCHES,
    &max::MAX,
    &min::MIN,
    &now::NOW,
    &pad_left::PAD_LEFT,
    &quote::QUOTE,
    &replace::REPLACE,
    &reverse::REVERSE,
    &round::ROUND,
    &sha256::SHA256,
    &sign::SIGN,
    &size::SIZE,
    &split::SPLIT,
    &starts_with::STARTS_WITH,
    &string::STRING,
    &substring::SUBSTRING,
    &sum::SUM,
    &timestamp::TIMESTAMP,
    &trim::TRIM,
    &trunc::TRUNC,
    &type_of::TYPE_OF,
    &uint::UINT,
    &upper::UPPER,
    &upper_ascii::UPPER_ASCII,
];

/// The function of that name or alias.
pub fn find(name: &str) -> Option<&'static Function> {
    static SORTED: LazyLock<Vec<(&'static str, &'static Function)>> = LazyLock::new(|| {
        let mut all: Vec<_> = ALL.iter().flat_map(|f| names_of(f).map(move |name| (name, *f))).collect();
        all.sort_by_key(|(name, _)| *name);
        all
    });
    SORTED.binary_search_by_key(&name, |(known, _)| known).ok().map(|index| SORTED[index].1)
}

/// Every name and alias.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|f| names_of(f))
}

fn names_of(function: &'static Function) -> impl Iterator<Item = &'static str> {
    std::iter::once(function.spec.name).chain(function.spec.aliases.iter().copied())
}

/// The checker lets only arguments through that fit; this is for those that combine wrongly.
#[cold]
fn misuse() -> Failure {
    Failure::types("no matching overload: the arguments do not go together")
}

fn rounding(name: &str) -> Result<Rounding, Failure> {
    Rounding::named(name).ok_or_else(|| {
        let names: Vec<&str> = Rounding::ALL.iter().map(|(name, _)| *name).collect();
        Failure::value(format!("no rounding of that name: there are {}", names.join(", ")))
    })
}

fn zone_named(name: &str) -> Result<Zone, Failure> {
    Zone::parse(name).ok_or_else(|| {
        Failure::value("no time zone of that name: write `UTC`, `+02:00` or a name such as `Europe/Berlin`")
    })
}

/// The offset at a moment in the zone that is the second argument, if it is there.
fn offset_of(call: &Call<'_, '_>, moment: Timestamp, rest: &[Value<'_>], otherwise: i32) -> Result<i32, Failure> {
    match (call.prepared, rest) {
        (Prepared::Zone(zone), _) => Ok(zone.offset(moment)),
        (_, [Value::String(name), ..]) => Ok(zone_named(name)?.offset(moment)),
        _ => Ok(otherwise),
    }
}

fn prepare_zone(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(1) {
        Some(Some(Value::String(name))) => zone_named(name).map(Prepared::Zone),
        _ => Ok(Prepared::None),
    }
}

/// The value that is in this order to all others.
fn extreme<'a>(arguments: &[Value<'a>], wanted: Ordering) -> Outcome<'a> {
    let items = match arguments {
        [Value::List(items)] => items,
        _ => arguments,
    };
    let (Some(first), rest) = (items.first(), items.get(1..).unwrap_or_default()) else {
        return Err(Failure::value("the list is empty"));
    };
    let mut best = *first;
    // One value alone has to be comparable too.
    for item in std::iter::once(first).chain(rest) {
        match operators::order(item, &best) {
            Some(Ok(Some(order))) if order == wanted => best = *item,
            Some(Ok(_)) => {}
            Some(Err(failure)) => return Err(failure),
            None => {
                return Err(Failure::types(format!(
                    "{} and {} cannot be compared",
                    item.type_name(),
                    best.type_name()
                )));
            }
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests;
