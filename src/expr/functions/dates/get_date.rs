//! The day of the month, 1 for the first of a moment, as CEL names it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static GET_DATE: Function = Function {
    spec: Spec {
        name: "getDate",
        aliases: &["day"],
        about: "The day of the month, 1 for the first of a moment in a time zone (UTC if none is said).",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP.or(Kinds::DATE), "The moment."),
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
            Example::ok(r#"timestamp("2009-02-13T23:31:30Z").getDate()"#, r#"13"#),
            Example::fails(r#"timestamp("2009-02-13T23:31:30Z").getDate("x/y")"#, r#"time zone"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (moment, rest) = match arguments {
        [Value::Date(date), ..] => (date.midnight(), &[][..]),
        [Value::Timestamp(moment), rest @ ..] => (*moment, rest),
        _ => return Err(super::misuse()),
    };
    let offset = super::offset_of(call, moment, rest, 0)?;
    let date = moment.date_at(offset);
    Ok(Value::Int(i64::from(date.civil().2)))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone(constants)
}
