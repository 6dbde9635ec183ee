//! Whether a date is a business day.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_BUSINESS_DAY: Function = Function {
    spec: Spec {
        name: "is_business_day",
        aliases: &[],
        about: "Whether a date is Monday to Friday and no holiday.",
        parameters: &[
            Parameter::new("date", Kinds::DATE, "The date."),
            Parameter::new("holidays", Kinds::LIST, "Dates that are none, or texts `YYYY-MM-DD`; at most 10,000.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_business_day(date("2024-05-01"))"#, r#"true"#),
            Example::ok(r#"is_business_day(date("2024-05-01"), ["2024-05-01"])"#, r#"false"#),
            Example::fails(r#"is_business_day(date("2024-05-01"), ["May"])"#, r#"YYYY-MM-DD"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(date), rest @ ..] = arguments else { return Err(super::misuse()) };
    let holidays = super::holidays(call, rest.first())?;
    Ok(Value::Bool(super::is_weekday(date.days) && holidays.binary_search(&date.days).is_err()))
}
