//! How many years old somebody is.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static AGE: Function = Function {
    spec: Spec {
        name: "age",
        aliases: &[],
        about: "The whole years from a date of birth to another date, or to today in UTC if none is said; a birth in the future is an error.",
        parameters: &[
            Parameter::new("birth", Kinds::DATE, "The date of birth."),
            Parameter::new("on", Kinds::DATE, "The day on which it is asked.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"age(date("2000-02-29"), date("2024-02-28"))"#, r#"23"#),
            Example::fails(r#"age(date("2030-01-01"), date("2024-01-01"))"#, r#"future"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(birth), rest @ ..] = arguments else { return Err(super::misuse()) };
    let on = if let [Value::Date(on)] = rest { *on } else { call.now.date_at(0) };
    if on < *birth {
        return Err(Failure::value("the date of birth lies in the future"));
    }
    Ok(Value::Int(super::whole_months(*birth, on) / 12))
}
