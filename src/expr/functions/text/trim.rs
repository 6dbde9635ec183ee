//! Text without white space at its ends.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TRIM: Function = Function {
    spec: Spec {
        name: "trim",
        aliases: &[],
        about: "Removes white space at both ends.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"trim("  a b ")"#, r#"a b"#), Example::fails(r#"trim(3)"#, r#"wants string"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::String(text.trim()))
}
