//! Whether a text holds at least one of some others.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CONTAINS_ANY: Function = Function {
    spec: Spec {
        name: "contains_any",
        aliases: &[],
        about: "Whether a text holds at least one of the texts of a list.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("parts", Kinds::LIST, "What is looked for."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"contains_any("red wine", ["beer", "wine"])"#, r#"true"#),
            Example::fails(r#"contains_any("a", [1])"#, r#"text"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::List(parts)] = arguments else { return Err(super::misuse()) };
    let mut holds = false;
    for part in *parts {
        let Value::String(part) = part else {
            return Err(Failure::types(format!("each item must be text, and one is {}", part.type_name())));
        };
        holds |= text.contains(part);
    }
    Ok(Value::Bool(holds))
}
