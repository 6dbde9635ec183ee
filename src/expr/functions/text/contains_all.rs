//! Whether a text holds each of some others.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CONTAINS_ALL: Function = Function {
    spec: Spec {
        name: "contains_all",
        aliases: &[],
        about: "Whether a text holds each of the texts of a list.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("parts", Kinds::LIST, "What is looked for."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"contains_all("red wine", ["red", "wine"])"#, r#"true"#),
            Example::ok(r#"contains_all("a", [])"#, r#"true"#),
            Example::fails(r#"contains_all("a", "a")"#, r#"wants list"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::List(parts)] = arguments else { return Err(super::misuse()) };
    let mut lacks = false;
    for part in *parts {
        let Value::String(part) = part else {
            return Err(Failure::types(format!("each item must be text, and one is {}", part.type_name())));
        };
        lacks |= !text.contains(part);
    }
    Ok(Value::Bool(!lacks))
}
