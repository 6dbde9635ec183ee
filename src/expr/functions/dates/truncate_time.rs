//! The beginning of a day, month or other unit.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::zone::Zone;
use crate::record::{Timestamp, Value};

pub(in crate::expr::functions) static TRUNCATE_TIME: Function = Function {
    spec: Spec {
        name: "truncate_time",
        aliases: &["start_of"],
        about: "The beginning of the second, minute, hour, day, week (Monday), month, quarter or year that a moment lies in, in a zone, or in its own offset if none is said; dates take day and more.",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP.or(Kinds::DATE), "The moment or date."),
            Parameter::new("unit", Kinds::TEXT, "second, minute, hour, day, week, month, quarter or year."),
            Parameter::new(
                "zone",
                Kinds::TEXT,
                "`UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"truncate_time(timestamp("2024-05-15T22:30:00Z"), "day", "Europe/Berlin")"#,
                r#"2024-05-16T00:00:00+02:00"#,
            ),
            Example::ok(r#"start_of(date("2024-05-15"), "quarter")"#, r#"2024-04-01"#),
            Example::fails(r#"truncate_time(date("2024-05-15"), "hour")"#, r#"of dates"#),
            Example::fails(r#"truncate_time(now(), "decade")"#, r#"no unit"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Date(date), Value::String(unit)] | [Value::Date(date), Value::String(unit), _] => {
            super::start_of(*date, unit).map(Value::Date)
        }
        [Value::Timestamp(moment), Value::String(unit), rest @ ..] => {
            let zone = super::zone_of(call, rest.first())?.unwrap_or(Zone::Fixed(moment.offset));
            let offset = zone.offset(*moment);
            let span = match *unit {
                "second" => 1,
                "minute" => 60,
                "hour" => 3600,
                _ => {
                    let date = super::start_of(moment.date_at(offset), unit)?;
                    let start = zone.moment_or_later(date, 0, 0).ok_or_else(super::out_of_range)?;
                    return Ok(Value::Timestamp(start));
                }
            };
            let rest = (moment.seconds + i64::from(offset)).rem_euclid(span);
            let start = Timestamp::new(moment.seconds - rest, 0).ok_or_else(super::out_of_range)?;
            Ok(Value::Timestamp(Timestamp { offset, ..start }))
        }
        _ => Err(super::misuse()),
    }
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone_at(constants, 2)
}
