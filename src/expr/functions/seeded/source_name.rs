//! What the record was read from.

use super::{Call, Example, Flow, Function, Outcome, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SOURCE_NAME: Function = Function {
    spec: Spec {
        name: "source_name",
        aliases: &[],
        about: "What the record was read from: the path of its file, or its table. Empty in examples.",
        parameters: &[],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[Example::ok("source_name()", ""), Example::fails("source_name(1)", "takes 0")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, _: &[Value<'a>]) -> Outcome<'a> {
    let name = call.seed.moment.source;
    let mut text = call.text(name.len())?;
    text.push_str(name);
    Ok(Value::String(text.into_bump_str()))
}
