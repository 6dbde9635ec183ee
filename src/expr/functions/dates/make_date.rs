//! A date from year, month and day.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Date, Type, Value};

pub(in crate::expr::functions) static MAKE_DATE: Function = Function {
    spec: Spec {
        name: "make_date",
        aliases: &[],
        about: "The date of a year, a month and a day.",
        parameters: &[
            Parameter::new("year", Kinds::INT, "1 to 9999."),
            Parameter::new("month", Kinds::INT, "1 to 12."),
            Parameter::new("day", Kinds::INT, "1 to 31."),
        ],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Date),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"make_date(2024, 2, 29)"#, r#"2024-02-29"#),
            Example::fails(r#"make_date(2023, 2, 29)"#, r#"no such day"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Int(year), Value::Int(month), Value::Int(day)] = arguments else { return Err(super::misuse()) };
    let date = match (i32::try_from(*year), u32::try_from(*month), u32::try_from(*day)) {
        (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day),
        _ => None,
    };
    date.map(Value::Date).ok_or_else(|| Failure::value("there is no such day"))
}
