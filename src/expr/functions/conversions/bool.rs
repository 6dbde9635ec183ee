//! A truth value from text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BOOL: Function = Function {
    spec: Spec {
        name: "bool",
        aliases: &[],
        about: "Converts `true`, `false`, `t`, `f`, `1`, `0` (in lower, upper or title case) to a truth value.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BOOL), "Text, or a truth value.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"bool("true")"#, r#"true"#),
            Example::ok(r#"bool("0")"#, r#"false"#),
            Example::fails(r#"bool("yes")"#, r#"not in the form"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Bool(value)] => Ok(Value::Bool(*value)),
        [Value::String("true" | "True" | "TRUE" | "t" | "T" | "1")] => Ok(Value::Bool(true)),
        [Value::String("false" | "False" | "FALSE" | "f" | "F" | "0")] => Ok(Value::Bool(false)),
        _ => Err(Failure::value("the text is not in the form of a truth value")),
    }
}
