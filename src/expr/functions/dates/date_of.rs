//! The date of a moment in a time zone.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static DATE_OF: Function = Function {
    spec: Spec {
        name: "date_of",
        aliases: &[],
        about: "The calendar date that a moment falls on in a time zone, or in its own offset if none is said.",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP, "The moment."),
            Parameter::new(
                "zone",
                Kinds::TEXT,
                "`UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Date),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"date_of(timestamp("2024-02-29T23:30:00Z"), "Europe/Berlin")"#, r#"2024-03-01"#),
            Example::fails(r#"date_of(timestamp(0), "x")"#, r#"time zone"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Timestamp(moment), rest @ ..] = arguments else { return Err(super::misuse()) };
    Ok(Value::Date(moment.date_at(super::offset_of(call, *moment, rest, moment.offset)?)))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone(constants)
}
