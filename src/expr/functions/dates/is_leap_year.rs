//! Whether a year has 366 days.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_LEAP_YEAR: Function = Function {
    spec: Spec {
        name: "is_leap_year",
        aliases: &[],
        about: "Whether a year of the Gregorian calendar has a 29th of February.",
        parameters: &[Parameter::new("year", Kinds::INT, "The year.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_leap_year(2000)"#, r#"true"#),
            Example::ok(r#"is_leap_year(1900)"#, r#"false"#),
            Example::fails(r#"is_leap_year("2000")"#, r#"wants int"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Int(year)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
}
