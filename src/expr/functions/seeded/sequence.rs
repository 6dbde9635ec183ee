//! A number that grows from record to record.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SEQUENCE: Function = Function {
    spec: Spec {
        name: "sequence",
        aliases: &[],
        about: "A number that grows from record to record of one file, table or answer: the byte at which the record begins, plus `start`. It has gaps, so that records can be mapped side by side and a replay gives the same number.",
        parameters: &[Parameter::new("start", Kinds::INT, "Added to it; 0 if not said.").optional()],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[Example::ok("sequence(1000)", "1000"), Example::fails(r#"sequence("a")"#, "wants int")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let start = if let [Value::Int(start)] = arguments { *start } else { 0 };
    let number = i64::try_from(call.seed.moment.byte).ok().and_then(|byte| byte.checked_add(start));
    number.map(Value::Int).ok_or_else(|| Failure::number("the number is too large for an int"))
}
