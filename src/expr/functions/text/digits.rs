//! The digits of a text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static DIGITS: Function = Function {
    spec: Spec {
        name: "digits",
        aliases: &[],
        about: "The digits 0 to 9 of a text, without everything else.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"digits("+49 (30) 12-34")"#, r#"49301234"#),
            Example::fails(r#"digits(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    out.extend(text.chars().filter(char::is_ascii_digit));
    Ok(Value::String(out.into_bump_str()))
}
