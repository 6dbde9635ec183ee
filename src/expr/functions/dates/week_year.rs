//! The year that the week of a moment or date belongs to.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static WEEK_YEAR: Function = Function {
    spec: Spec {
        name: "week_year",
        aliases: &[],
        about: "The year that the week by ISO 8601 belongs to, of a moment in a zone (UTC if none is said) or of a date.",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP.or(Kinds::DATE), "The moment or date."),
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
            Example::ok(r#"week_year(date("2024-12-30"))"#, r#"2025"#),
            Example::fails(r#"week_year(now(), "x/y")"#, r#"time zone"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let date = match arguments {
        [Value::Date(date), ..] => *date,
        [Value::Timestamp(moment), rest @ ..] => moment.date_at(super::offset_of(call, *moment, rest, 0)?),
        _ => return Err(super::misuse()),
    };
    Ok(Value::Int(super::week(date).0))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone(constants)
}
