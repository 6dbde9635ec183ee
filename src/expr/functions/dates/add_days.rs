//! A moment or date some days later.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static ADD_DAYS: Function = Function {
    spec: Spec {
        name: "add_days",
        aliases: &[],
        about: "That many days later, or earlier if negative, at the same time of day in a zone, or in its own offset if none is said.",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP.or(Kinds::DATE), "The moment or date."),
            Parameter::new("count", Kinds::INT, "How many days."),
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
            Example::ok(r#"add_days(date("2024-02-28"), 2)"#, r#"2024-03-01"#),
            Example::ok(
                r#"add_days(timestamp("2024-03-30T12:00:00+01:00"), 1, "Europe/Berlin")"#,
                r#"2024-03-31T12:00:00+02:00"#,
            ),
            Example::fails(r#"add_days(date("9999-12-31"), 1)"#, r#"years 1 to 9999"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [time, Value::Int(count), rest @ ..] = arguments else { return Err(super::misuse()) };
    super::moved(call, time, rest.first(), |date| super::later(date, *count))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone_at(constants, 2)
}
