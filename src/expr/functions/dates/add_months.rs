//! A moment or date some months later.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static ADD_MONTHS: Function = Function {
    spec: Spec {
        name: "add_months",
        aliases: &[],
        about: "That many months later, or earlier if negative, at the same time of day in a zone, or in its own offset if none is said; where the month is shorter, its last day.",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP.or(Kinds::DATE), "The moment or date."),
            Parameter::new("count", Kinds::INT, "How many months."),
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
            Example::ok(r#"add_months(date("2024-01-31"), 1)"#, r#"2024-02-29"#),
            Example::ok(r#"add_months(date("2024-03-31"), -1)"#, r#"2024-02-29"#),
            Example::fails(r#"add_months(date("2024-01-31"), 100000)"#, r#"years 1 to 9999"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [time, Value::Int(count), rest @ ..] = arguments else { return Err(super::misuse()) };
    super::moved(call, time, rest.first(), |date| super::months_later(date, *count))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone_at(constants, 2)
}
