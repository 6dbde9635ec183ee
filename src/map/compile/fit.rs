//! Which types can stand where, and what is said where they cannot.

use super::codes;
use crate::error::{Finding, Place};
use crate::record::Type;

/// Whether a computed type can stand at a declared place, at worst after an exact conversion.
pub(super) fn fits(result: &Type, declared: &Type) -> bool {
    matches!(result, Type::Null)
        || result.fits(declared)
        || matches!((result, declared), (Type::Int, Type::Uint) | (Type::Uint, Type::Int))
}

/// Whether `type:` on a rule can make one of the other.
pub(super) fn can_read(result: &Type, asked: &Type) -> bool {
    let scalar = |kind: &Type| !matches!(kind, Type::Bytes | Type::List(_) | Type::Map(_) | Type::Record { .. });
    match (result, asked) {
        (Type::Int | Type::Uint | Type::Decimal, Type::Double) => true,
        (Type::String, Type::Duration) => false,
        (Type::String, asked) => scalar(asked),
        (result, Type::String) => scalar(result),
        (result, asked) => fits(result, asked),
    }
}

pub(super) fn misfit(result: &Type, declared: &Type, place: Place, cause: impl Fn() -> String) -> Finding {
    if *declared == Type::Double && matches!(result, Type::Int | Type::Uint | Type::Decimal) {
        return Finding::error(
            &codes::DECIMAL_TO_DOUBLE,
            place,
            format!("{}: it would lose its exact digits", cause()),
        )
        .fix("declare the field as decimal, or ask for the loss with `type: double` on the rule");
    }
    let finding = Finding::error(&codes::TARGET_TYPE, place, cause());
    match (result, declared) {
        (Type::Timestamp, Type::Date) => finding.fix("say in which zone: date_of(value, \"UTC\")"),
        (_, Type::Int | Type::Decimal | Type::String | Type::Bool | Type::Timestamp | Type::Date) => {
            finding.fix(format!("convert it in the transform, or say `type: {declared}` on the rule"))
        }
        _ => finding.fix("convert it in the transform, or correct the type of the target field"),
    }
}
