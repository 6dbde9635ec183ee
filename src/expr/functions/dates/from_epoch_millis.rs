//! A moment from milliseconds since 1970.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static FROM_EPOCH_MILLIS: Function = Function {
    spec: Spec {
        name: "from_epoch_millis",
        aliases: &[],
        about: "The moment that many milliseconds after 1970-01-01 in UTC.",
        parameters: &[Parameter::new("milliseconds", Kinds::DECIMAL, "The milliseconds.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Timestamp),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"from_epoch_millis(1700000000123)"#, r#"2023-11-14T22:13:20.123Z"#),
            Example::fails(r#"from_epoch_millis("1")"#, r#"wants decimal"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(milliseconds)] = arguments else { return Err(super::misuse()) };
    super::from_seconds(milliseconds.mul(Decimal::new(1, 3)?)?).map(Value::Timestamp)
}
