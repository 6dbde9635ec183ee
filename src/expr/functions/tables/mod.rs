//! Tables: codes that standards keep.

mod country;
mod is_country;
mod is_language;
mod language;
pub(in crate::expr::functions) mod lookup;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
};
use crate::record::{Type, Value};

/// Tables.
pub(super) static GROUP: Group = Group {
    name: "Tables",
    about: "Codes that standards keep, and tables of your own beside the mapping.",
    functions: &[
        &country::COUNTRY,
        &is_country::IS_COUNTRY,
        &is_language::IS_LANGUAGE,
        &language::LANGUAGE,
        &lookup::LOOKUP,
    ],
};

/// What was found in the form asked for, or what else is said.
fn in_form<'a>(what: &str, found: Option<&'static str>, otherwise: &[Value<'a>]) -> Outcome<'a> {
    match (found, otherwise) {
        (Some(found), _) if !found.is_empty() => Ok(Value::String(found)),
        (_, [otherwise]) => Ok(*otherwise),
        (Some(_), _) => Err(Failure::value(format!("the {what} has none of that form"))),
        (None, _) => Err(Failure::value(format!("no {what} has that code or name"))),
    }
}

/// Checks the form that is the second argument, where it is written down.
fn checked(constants: &[Option<Value<'_>>], check: impl Fn(&str) -> Result<(), Failure>) -> Result<Prepared, Failure> {
    if let Some(Some(Value::String(name))) = constants.get(1) {
        check(name)?;
    }
    Ok(Prepared::None)
}

/// Text, or what else the fourth argument is.
fn found_type(types: &[Type]) -> Type {
    text_or(types.get(3))
}

/// Text, or what else the third argument is.
fn text_type(types: &[Type]) -> Type {
    text_or(types.get(2))
}

fn text_or(otherwise: Option<&Type>) -> Type {
    otherwise.map_or(Type::String, |otherwise| super::super::types::common(&Type::String, otherwise))
}
