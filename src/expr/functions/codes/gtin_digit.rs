//! The check digit of a GTIN.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static GTIN_DIGIT: Function = Function {
    spec: Spec {
        name: "gtin_digit",
        aliases: &[],
        about: "The digit that put behind the 7, 11, 12 or 13 others makes a GTIN (GS1); 17 others make an SSCC.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The digits before it.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"gtin_digit("629104150021")"#, "3"),
            Example::fails(r#"gtin_digit("12")"#, "7, 11, 12, 13 or 17"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    match checks::digits(text) {
        Some(digits) if matches!(digits.len(), 7 | 11 | 12 | 13 | 17) => Ok(checks::digit(checks::gs1_digit(&digits))),
        _ => Err(Failure::value("the text holds 7, 11, 12, 13 or 17 digits")),
    }
}
