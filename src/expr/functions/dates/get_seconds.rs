//! The second of a moment or span, as CEL names it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static GET_SECONDS: Function = Function {
    spec: Spec {
        name: "getSeconds",
        aliases: &["second"],
        about: "The second of a moment in a time zone (UTC if none is said); of a span, all of it in that unit.",
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
            Example::ok(r#"timestamp("2009-02-13T23:31:30Z").getSeconds()"#, r#"30"#),
            Example::fails(r#"timestamp("2009-02-13T23:31:30Z").getSeconds("x/y")"#, r#"time zone"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (moment, rest) = match arguments {
        [Value::Duration(span)] => return Ok(Value::Int(span.seconds)),
        [Value::Timestamp(moment), rest @ ..] => (*moment, rest),
        _ => return Err(super::misuse()),
    };
    let offset = super::offset_of(call, moment, rest, 0)?;
    let second = (moment.seconds + i64::from(offset)).rem_euclid(86_400);
    Ok(Value::Int(second % 60))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone(constants)
}
