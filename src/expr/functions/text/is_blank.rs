//! Whether a text says nothing.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_BLANK: Function = Function {
    spec: Spec {
        name: "is_blank",
        aliases: &[],
        about: "Whether a value is missing, null, empty or white space alone.",
        parameters: &[Parameter::new("text", Kinds::TEXT.or(Kinds::NULL).or(Kinds::MISSING), "The text, or nothing.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_blank(" \t")"#, r#"true"#),
            Example::ok(r#"is_blank(null)"#, r#"true"#),
            Example::ok(r#"is_blank("a")"#, r#"false"#),
            Example::fails(r#"is_blank(0)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text)] => Ok(Value::Bool(text.trim().is_empty())),
        [Value::Missing | Value::Null] => Ok(Value::Bool(true)),
        _ => Err(super::misuse()),
    }
}
