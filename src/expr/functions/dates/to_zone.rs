//! The same moment in another zone.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Timestamp, Type, Value};

pub(in crate::expr::functions) static TO_ZONE: Function = Function {
    spec: Spec {
        name: "to_zone",
        aliases: &[],
        about: "The same moment, written with the offset that holds in a zone.",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP, "The moment."),
            Parameter::new(
                "zone",
                Kinds::TEXT,
                "`UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.",
            ),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Timestamp),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"to_zone(timestamp("2024-07-01T12:00:00Z"), "Asia/Kolkata")"#,
                r#"2024-07-01T17:30:00+05:30"#,
            ),
            Example::fails(r#"to_zone(timestamp(0), "Mars")"#, r#"time zone"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Timestamp(moment), rest @ ..] = arguments else { return Err(super::misuse()) };
    let offset = super::offset_of(call, *moment, rest, 0)?;
    Ok(Value::Timestamp(Timestamp { offset, ..*moment }))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone(constants)
}
