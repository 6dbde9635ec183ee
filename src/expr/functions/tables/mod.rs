//! Tables: codes that standards keep.

mod country;
mod is_country;
mod is_language;
mod language;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, misuse,
};
use crate::record::Type;

/// Tables.
pub(super) static GROUP: Group = Group {
    name: "Tables",
    about: "Codes that standards keep: countries and languages.",
    functions: &[&country::COUNTRY, &is_country::IS_COUNTRY, &is_language::IS_LANGUAGE, &language::LANGUAGE],
};

/// Text, or what else the third argument is.
fn text_type(types: &[Type]) -> Type {
    match types.get(2) {
        Some(otherwise) => super::super::types::common(&Type::String, otherwise),
        None => Type::String,
    }
}
