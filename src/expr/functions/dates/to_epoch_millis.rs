//! Milliseconds since 1970.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TO_EPOCH_MILLIS: Function = Function {
    spec: Spec {
        name: "to_epoch_millis",
        aliases: &[],
        about: "The whole milliseconds from 1970-01-01 in UTC to a moment; a fraction is cut towards the past.",
        parameters: &[Parameter::new("time", Kinds::TIMESTAMP, "The moment.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"to_epoch_millis(timestamp("2023-11-14T22:13:20.1239Z"))"#, r#"1700000000123"#),
            Example::fails(r#"to_epoch_millis(1)"#, r#"wants timestamp"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Timestamp(moment)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Int(moment.seconds * 1000 + i64::from(moment.nanos / 1_000_000)))
}
