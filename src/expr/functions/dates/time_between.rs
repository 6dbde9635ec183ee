//! The time from one moment to another in a unit.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TIME_BETWEEN: Function = Function {
    spec: Spec {
        name: "time_between",
        aliases: &[],
        about: "How many whole seconds, minutes, hours, days (of 24 hours) or weeks lie from one moment to another; negative if the other is earlier.",
        parameters: &[
            Parameter::new("a", Kinds::TIMESTAMP, "From here."),
            Parameter::new("b", Kinds::TIMESTAMP, "To here."),
            Parameter::new("unit", Kinds::TEXT, "millisecond, second, minute, hour, day or week."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"time_between(timestamp("2024-03-31T00:00:00+01:00"), timestamp("2024-04-01T00:00:00+02:00"), "hour")"#,
                r#"23"#,
            ),
            Example::fails(r#"time_between(now(), now(), "month")"#, r#"no unit"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Timestamp(a), Value::Timestamp(b), Value::String(unit)] = arguments else {
        return Err(super::misuse());
    };
    let nanos: i128 = match *unit {
        "millisecond" => 1_000_000,
        "second" => 1_000_000_000,
        "minute" => 60_000_000_000,
        "hour" => 3_600_000_000_000,
        "day" => 86_400_000_000_000,
        "week" => 604_800_000_000_000,
        _ => {
            return Err(Failure::value("no unit of that name: there are millisecond, second, minute, hour, day, week"));
        }
    };
    let span = b.since(*a).ok_or_else(super::out_of_range)?;
    i64::try_from(span.total() / nanos).map(Value::Int).map_err(|_| super::out_of_range())
}
