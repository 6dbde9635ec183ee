//! A moment from seconds since 1970.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FROM_EPOCH: Function = Function {
    spec: Spec {
        name: "from_epoch",
        aliases: &[],
        about: "The moment that many seconds after 1970-01-01 in UTC, with fractions down to the nanosecond.",
        parameters: &[Parameter::new("seconds", Kinds::DECIMAL, "The seconds.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Timestamp),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"from_epoch(1700000000)"#, r#"2023-11-14T22:13:20Z"#),
            Example::ok(r#"from_epoch(-0.5)"#, r#"1969-12-31T23:59:59.500Z"#),
            Example::fails(r#"from_epoch(1700000000000)"#, r#"years 1 to 9999"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(seconds)] = arguments else { return Err(super::misuse()) };
    super::from_seconds(*seconds).map(Value::Timestamp)
}
