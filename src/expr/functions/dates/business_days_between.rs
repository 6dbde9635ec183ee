//! The business days from one date to another.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BUSINESS_DAYS_BETWEEN: Function = Function {
    spec: Spec {
        name: "business_days_between",
        aliases: &[],
        about: "How many business days come after one date up to and with another; negative if the other is earlier.",
        parameters: &[
            Parameter::new("a", Kinds::DATE, "From here, itself not counted."),
            Parameter::new("b", Kinds::DATE, "To here, counted."),
            Parameter::new("holidays", Kinds::LIST, "Dates that are none, or texts `YYYY-MM-DD`; at most 10,000.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"business_days_between(date("2024-05-03"), date("2024-05-06"))"#, r#"1"#),
            Example::ok(r#"business_days_between(date("2024-04-29"), date("2024-05-06"), ["2024-05-01"])"#, r#"4"#),
            Example::fails(r#"business_days_between(date("2024-05-03"), 3)"#, r#"wants date"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(a), Value::Date(b), rest @ ..] = arguments else { return Err(super::misuse()) };
    let holidays = super::holidays(call, rest.first())?;
    let (low, high, sign) = if a <= b { (a.days, b.days, 1) } else { (b.days, a.days, -1) };
    // Backwards the earlier date is counted, and the later one is not.
    let (low, high) = if sign > 0 { (low + 1, high + 1) } else { (low, high) };
    let free = holidays.iter().filter(|day| (low..high).contains(day) && super::is_weekday(**day)).count();
    let days = super::weekdays_before(high) - super::weekdays_before(low) - i64::try_from(free).unwrap_or(0);
    Ok(Value::Int(sign * days))
}
