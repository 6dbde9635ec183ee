//! The check digit of Luhn.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static LUHN_DIGIT: Function = Function {
    spec: Spec {
        name: "luhn_digit",
        aliases: &[],
        about: "The digit that put behind a row of digits makes it hold by Luhn (ISO/IEC 7812-1).",
        parameters: &[Parameter::new("text", Kinds::TEXT, "Digits; spaces and hyphens are passed over.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"luhn_digit("7992739871")"#, "3"),
            Example::fails(r#"luhn_digit("12a")"#, "only digits"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let digits = checks::digits(text).filter(|digits| !digits.is_empty());
    let digits = digits.ok_or_else(|| Failure::value("the text holds more than 32 digits, or not only digits"))?;
    Ok(checks::digit(checks::luhn_digit(&digits)))
}
