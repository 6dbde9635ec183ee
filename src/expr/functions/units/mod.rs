//! Units of measure.

mod convert_unit;
mod is_unit;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
};

/// Units.
pub(super) static GROUP: Group = Group {
    name: "Units",
    about: "Quantities in other units of measure.",
    functions: &[&convert_unit::CONVERT_UNIT, &is_unit::IS_UNIT],
};
