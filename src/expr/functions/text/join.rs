//! A list as one text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static JOIN: Function = Function {
    spec: Spec {
        name: "join",
        aliases: &[],
        about: "Joins the items of a list of text, with a separator between them.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The texts."),
            Parameter::new("separator", Kinds::TEXT, "What stands between them.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"join(["a", "b"], "-")"#, r#"a-b"#),
            Example::ok(r#"["a", "b"].join()"#, r#"ab"#),
            Example::fails(r#"join([1], "-")"#, r#"text"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), rest @ ..] = arguments else { return Err(super::misuse()) };
    let separator = if let [Value::String(separator)] = rest { separator } else { "" };
    let mut length = separator.len().saturating_mul(items.len());
    for item in *items {
        let Value::String(text) = item else {
            return Err(Failure::types(format!("each item must be text, and one is {}", item.type_name())));
        };
        length = length.saturating_add(text.len());
    }
    let mut out = call.text(length)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        if let Value::String(text) = item {
            out.push_str(text);
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
