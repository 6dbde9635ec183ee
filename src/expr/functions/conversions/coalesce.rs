//! The first value that says something.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static COALESCE: Function = Function {
    spec: Spec {
        name: "coalesce",
        aliases: &[],
        about: "The first argument that is neither missing nor null; null if there is none.",
        parameters: &[Parameter::new(
            "x",
            Kinds::ANY.or(Kinds::NULL).or(Kinds::MISSING),
            "A value that may be absent.",
        )],
        variadic: true,
        method: false,
        returns: Returns::Common,
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"coalesce(null, "a", "b")"#, r#"a"#),
            Example::fails(r#"coalesce()"#, r#"takes at least 1"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(arguments.iter().find(|value| !value.is_absent()).copied().unwrap_or(Value::Null))
}
