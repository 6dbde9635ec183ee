//! The functions of the language, one file each, in a folder for each group.
//!
//! Adding one: a file in a group with its description and its code, its `mod` line and its line in the
//! `GROUP` of that folder. Adding a group: a folder, its `mod` line here and its line in [`GROUPS`].

pub(crate) mod checks;
mod contact;
mod data;
mod identity;
mod naming;
mod postal;
mod quantity;
mod reach;
mod sorted;
mod spec;
mod uuid;

mod codes;
mod collections;
mod conversions;
mod dates;
mod money;
mod numbers;
mod people;
mod protection;
mod seeded;
mod tables;
mod text;
mod units;

use std::cmp::Ordering;
use std::sync::LazyLock;

use crate::record::decimal::Rounding;
use crate::record::{Timestamp, Type, Value};

use super::operators;
use super::style::Style;
use super::types;
use super::zone::Zone;

pub use protection::keyed;
pub use tables::lookup::Lookup;

#[cfg(test)]
pub(super) use spec::MAX_MEMORY;
pub use spec::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepare, Prepared, Returns, Spec};

/// Functions of one kind, as the reference lists them.
#[derive(Debug)]
pub struct Group {
    /// Its heading.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Its functions, by name.
    pub functions: &'static [&'static Function],
}

/// Every group, in the order of the reference.
pub const GROUPS: &[&Group] = &[
    &text::GROUP,
    &numbers::GROUP,
    &money::GROUP,
    &conversions::GROUP,
    &dates::GROUP,
    &collections::GROUP,
    &codes::GROUP,
    &people::GROUP,
    &tables::GROUP,
    &units::GROUP,
    &seeded::GROUP,
    &protection::GROUP,
];

/// Every function, by group.
pub fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|group| group.functions.iter().copied())
}

/// The function of that name or alias.
pub fn find(name: &str) -> Option<&'static Function> {
    static SORTED: LazyLock<Vec<(&'static str, &'static Function)>> = LazyLock::new(|| {
        let mut all: Vec<_> = all().flat_map(|f| names_of(f).map(move |name| (name, f))).collect();
        all.sort_by_key(|(name, _)| *name);
        all
    });
    SORTED.binary_search_by_key(&name, |(known, _)| known).ok().map(|index| SORTED[index].1)
}

/// Every name and alias.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().flat_map(names_of)
}

fn names_of(function: &'static Function) -> impl Iterator<Item = &'static str> {
    std::iter::once(function.spec.name).chain(function.spec.aliases.iter().copied())
}

/// The checker lets only arguments through that fit; this is for those that combine wrongly.
#[cold]
fn misuse() -> Failure {
    Failure::types("no matching overload: the arguments do not go together")
}

/// What a function made of its constant arguments, if it did.
fn made<T: 'static>(prepared: &Prepared) -> Option<&T> {
    match prepared {
        Prepared::Made(made) => made.downcast_ref(),
        _ => None,
    }
}

fn rounding(name: &str) -> Result<Rounding, Failure> {
    Rounding::named(name).ok_or_else(|| {
        let names: Vec<&str> = Rounding::ALL.iter().map(|(name, _)| *name).collect();
        Failure::value(format!("no rounding of that name: there are {}", names.join(", ")))
    })
}

/// The rounding that an argument names; ties away from zero if there is none.
fn rounding_of(call: &Call<'_, '_>, argument: Option<&Value<'_>>) -> Result<Rounding, Failure> {
    match (call.prepared, argument) {
        (Prepared::Rounding(known), _) => Ok(*known),
        (_, Some(Value::String(name))) => rounding(name),
        _ => Ok(Rounding::HalfUp),
    }
}

fn prepare_rounding(constants: &[Option<Value<'_>>], index: usize) -> Result<Prepared, Failure> {
    match constants.get(index) {
        Some(Some(Value::String(name))) => rounding(name).map(Prepared::Rounding),
        _ => Ok(Prepared::None),
    }
}

fn places(places: i64) -> Result<u32, Failure> {
    u32::try_from(places).map_err(|_| Failure::value("places are 0 to 28"))
}

fn style_named(name: &str) -> Result<Style, Failure> {
    Style::named(name).ok_or_else(|| {
        Failure::value(format!("no style of that name: there are {}, or write the marks themselves", Style::names()))
    })
}

/// The style of numbers that an argument names, or another.
fn style_of(call: &Call<'_, '_>, argument: Option<&Value<'_>>, otherwise: &str) -> Result<Style, Failure> {
    match (made::<Style>(call.prepared), argument) {
        (Some(style), _) => Ok(*style),
        (None, Some(Value::String(name))) => style_named(name),
        _ => style_named(otherwise),
    }
}

fn prepare_style(constants: &[Option<Value<'_>>], index: usize) -> Result<Prepared, Failure> {
    match constants.get(index) {
        Some(Some(Value::String(name))) => Ok(Prepared::Made(Box::new(style_named(name)?))),
        _ => Ok(Prepared::None),
    }
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

/// The type of [`extreme`]: of one list, that of its items.
fn extreme_kind(arguments: &[Type]) -> Type {
    match arguments {
        [Type::List(inner)] => (**inner).clone(),
        _ => arguments.iter().cloned().reduce(|a, b| types::common(&a, &b)).unwrap_or_default(),
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
