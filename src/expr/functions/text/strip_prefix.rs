//! Text without its beginning.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static STRIP_PREFIX: Function = Function {
    spec: Spec {
        name: "strip_prefix",
        aliases: &[],
        about: "The text without a certain beginning; as it is if it begins otherwise.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("prefix", Kinds::TEXT, "What it may begin with."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"strip_prefix("SKU-12", "SKU-")"#, r#"12"#),
            Example::ok(r#""12".strip_prefix("SKU-")"#, r#"12"#),
            Example::fails(r#"strip_prefix("a", 1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(prefix)] = arguments else { return Err(super::misuse()) };
    Ok(Value::String(text.strip_prefix(prefix).unwrap_or(text)))
}
