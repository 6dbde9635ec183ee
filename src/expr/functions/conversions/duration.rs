//! A span of time from text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Duration, Type, Value};

pub(in crate::expr::functions) static DURATION: Function = Function {
    spec: Spec {
        name: "duration",
        aliases: &[],
        about: "Reads `1h30m`, `90s`, `1.5s`, `20ms`.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::DURATION), "The span.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Duration),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"duration("1h30m")"#, r#"5400s"#),
            Example::fails(r#"duration("1 hour")"#, r#"1h30m"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text)] => Duration::parse(text)
            .map(Value::Duration)
            .ok_or_else(|| Failure::value("the text is not a span in the form 1h30m, or out of range")),
        [Value::Duration(span)] => Ok(Value::Duration(*span)),
        _ => Err(super::misuse()),
    }
}
