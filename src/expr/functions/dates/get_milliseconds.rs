//! The milliseconds of a moment or span, as CEL names it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static GET_MILLISECONDS: Function = Function {
    spec: Spec {
        name: "getMilliseconds",
        aliases: &["millisecond"],
        about: "The milliseconds of a moment in a time zone (UTC if none is said).",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP.or(Kinds::DURATION), "The moment."),
            Parameter::new(
                "zone",
                Kinds::TEXT,
                "`UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"timestamp("2009-02-13T23:31:30Z").getMilliseconds()"#, r#"0"#),
            Example::fails(r#"timestamp("2009-02-13T23:31:30Z").getMilliseconds("x/y")"#, r#"time zone"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (moment, rest) = match arguments {
        [Value::Duration(span)] => return Ok(Value::Int(i64::from(span.nanos / 1_000_000))),
        [Value::Timestamp(moment), rest @ ..] => (*moment, rest),
        _ => return Err(super::misuse()),
    };
    let offset = super::offset_of(call, moment, rest, 0)?;
    let _ = offset;
    Ok(Value::Int(i64::from(moment.nanos / 1_000_000)))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone(constants)
}
