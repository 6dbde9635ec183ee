//! Conversions: from one type to another, and what stands in for nothing.

mod bool;
mod bytes;
mod coalesce;
mod date;
mod decimal;
mod double;
mod duration;
mod int;
mod string;
mod timestamp;
mod type_of;
mod uint;

use super::{Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Returns, Spec, misuse};

/// Conversions.
pub(super) static GROUP: Group = Group {
    name: "Conversions",
    about: "From one type to another, and what stands in for nothing.",
    functions: &[
        &bool::BOOL,
        &bytes::BYTES,
        &coalesce::COALESCE,
        &date::DATE,
        &decimal::DECIMAL,
        &double::DOUBLE,
        &duration::DURATION,
        &int::INT,
        &string::STRING,
        &timestamp::TIMESTAMP,
        &type_of::TYPE_OF,
        &uint::UINT,
    ],
};
