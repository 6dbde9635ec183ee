//! The name of the type of a value.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TYPE_OF: Function = Function {
    spec: Spec {
        name: "type",
        aliases: &[],
        about: "The name of the type of a value.",
        parameters: &[Parameter::new("x", Kinds::ANY.or(Kinds::NULL), "The value.")],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"type("x")"#, r#"string"#),
            Example::ok(r#"type(1.5) == decimal"#, r#"true"#),
            Example::fails(r#"type()"#, r#"takes 1"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Null] => Ok(Value::String("null_type")),
        [value] => Ok(Value::String(value.type_name())),
        _ => Err(super::misuse()),
    }
}
