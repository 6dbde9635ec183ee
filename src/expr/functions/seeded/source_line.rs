//! The line of the record in its source.

use super::{Call, Example, Failure, Flow, Function, Outcome, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SOURCE_LINE: Function = Function {
    spec: Spec {
        name: "source_line",
        aliases: &[],
        about: "The line at which the record begins in its file or answer, from 1; 0 where there are no lines.",
        parameters: &[],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[Example::ok("source_line()", "0"), Example::fails("source_line(1)", "takes 0")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, _: &[Value<'a>]) -> Outcome<'a> {
    i64::try_from(call.seed.moment.line).map(Value::Int).map_err(|_| Failure::limit())
}
