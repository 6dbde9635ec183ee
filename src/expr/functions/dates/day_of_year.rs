//! The day of the year of a moment or date.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::zone;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static DAY_OF_YEAR: Function = Function {
    spec: Spec {
        name: "day_of_year",
        aliases: &[],
        about: "The day of the year, 1 for the first of January, of a moment in a zone (UTC if none is said) or of a date.",
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
            Example::ok(r#"day_of_year(date("2024-12-31"))"#, r#"366"#),
            Example::fails(r#"day_of_year(now(), "x/y")"#, r#"time zone"#),
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
    Ok(Value::Int(i64::from(zone::day_of_year(date)) + 1))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone(constants)
}
