//! The last day of a month or other unit.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Date, Type, Value};

pub(in crate::expr::functions) static END_OF: Function = Function {
    spec: Spec {
        name: "end_of",
        aliases: &[],
        about: "The last day of the week (Sunday), month, quarter or year that a date lies in.",
        parameters: &[
            Parameter::new("date", Kinds::DATE, "The date."),
            Parameter::new("unit", Kinds::TEXT, "week, month, quarter or year."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Date),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"end_of(date("2024-02-10"), "month")"#, r#"2024-02-29"#),
            Example::ok(r#"end_of(date("2024-02-10"), "week")"#, r#"2024-02-11"#),
            Example::fails(r#"end_of(date("2024-02-10"), "decade")"#, r#"no unit"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(date), Value::String(unit)] = arguments else { return Err(super::misuse()) };
    let start = super::start_of(*date, unit)?;
    let last = match *unit {
        "day" => Some(start),
        "week" => super::later(start, 6),
        "month" => super::months_later(start, 1).and_then(|next| super::later(next, -1)),
        "quarter" => super::months_later(start, 3).and_then(|next| super::later(next, -1)),
        _ => Date::new(start.civil().0, 12, 31),
    };
    // The month behind December 9999 is none, and its last day is.
    last.or_else(|| Date::new(9999, 12, 31)).map(Value::Date).ok_or_else(super::out_of_range)
}
