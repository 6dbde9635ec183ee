//! The part of a text in front of a separator.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TEXT_BEFORE: Function = Function {
    spec: Spec {
        name: "text_before",
        aliases: &[],
        about: "What stands in front of the first separator; null if there is none.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("separator", Kinds::TEXT, "What is looked for."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"text_before("anna@b.example", "@")"#, r#"anna"#),
            Example::ok(r#"coalesce(text_before("a", "@"), "none")"#, r#"none"#),
            Example::fails(r#"text_before("a", 1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(separator)] = arguments else { return Err(super::misuse()) };
    Ok(text.split_once(separator).map_or(Value::Null, |(before, _)| Value::String(before)))
}
