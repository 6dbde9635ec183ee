//! A date some business days later.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static ADD_BUSINESS_DAYS: Function = Function {
    spec: Spec {
        name: "add_business_days",
        aliases: &[],
        about: "The date that many business days later, or earlier if negative: Monday to Friday without holidays; 0 is the date itself.",
        parameters: &[
            Parameter::new("date", Kinds::DATE, "The date."),
            Parameter::new("count", Kinds::INT, "How many, at most 100,000."),
            Parameter::new("holidays", Kinds::LIST, "Dates that are none, or texts `YYYY-MM-DD`; at most 10,000.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Date),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"add_business_days(date("2024-05-03"), 1)"#, r#"2024-05-06"#),
            Example::ok(r#"add_business_days(date("2024-04-30"), 1, ["2024-05-01"])"#, r#"2024-05-02"#),
            Example::ok(r#"add_business_days(date("2024-05-06"), -1)"#, r#"2024-05-03"#),
            Example::fails(r#"add_business_days(date("2024-05-03"), 1000000)"#, r#"100,000"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(date), Value::Int(count), rest @ ..] = arguments else { return Err(super::misuse()) };
    if count.unsigned_abs() > 100_000 {
        return Err(Failure::value("business days are at most 100,000"));
    }
    let holidays = super::holidays(call, rest.first())?;
    // Days are walked one by one; that is counted as memory is, so that no loop around it runs on and on.
    call.spend(usize::try_from(count.unsigned_abs()).unwrap_or(0) * 16)?;
    let step = count.signum();
    let (mut found, mut left) = (*date, count.unsigned_abs());
    while left > 0 {
        found = super::later(found, step).ok_or_else(super::out_of_range)?;
        if super::is_weekday(found.days) && holidays.binary_search(&found.days).is_err() {
            left -= 1;
        }
    }
    Ok(Value::Date(found))
}
