//! Whether a text ends with another.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static ENDS_WITH: Function = Function {
    spec: Spec {
        name: "ends_with",
        aliases: &["endsWith"],
        about: "Whether a text ends with another.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("part", Kinds::TEXT, "What is looked for."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"ends_with("abba", "ba")"#, r#"true"#),
            Example::fails(r#"ends_with("a", 1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(text.ends_with(*part)))
}
