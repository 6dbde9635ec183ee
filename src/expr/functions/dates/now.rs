//! The fixed time of the run.

use super::{Call, Example, Flow, Function, Outcome, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static NOW: Function = Function {
    spec: Spec {
        name: "now",
        aliases: &[],
        about: "The time the run was started; the same for all of its records.",
        parameters: &[],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Timestamp),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"now() == now()"#, r#"true"#), Example::fails(r#"now(1)"#, r#"takes 0"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, _: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Timestamp(call.now))
}
