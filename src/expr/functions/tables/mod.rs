//! Tables: codes that standards keep.

mod country;
mod is_country;
mod is_language;
mod language;
pub(in crate::expr::functions) mod lookup;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
};
use crate::record::Type;

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

fn found_type(types: &[Type]) -> Type {
    match types.get(3) {
        Some(otherwise) => super::super::types::common(&Type::String, otherwise),
        None => Type::String,
    }
}

/// Text, or what else the third argument is.
fn text_type(types: &[Type]) -> Type {
    match types.get(2) {
        Some(otherwise) => super::super::types::common(&Type::String, otherwise),
        None => Type::String,
    }
}
