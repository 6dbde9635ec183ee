//! Whether a text holds another.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CONTAINS: Function = Function {
    spec: Spec {
        name: "contains",
        aliases: &[],
        about: "Whether a text holds another.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("part", Kinds::TEXT, "What is looked for."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"contains("abba", "bb")"#, r#"true"#),
            Example::fails(r#"contains("a", 1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(text.contains(*part)))
}
