//! How many days a month has.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::time::days_in;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static DAYS_IN_MONTH: Function = Function {
    spec: Spec {
        name: "days_in_month",
        aliases: &[],
        about: "How many days the month of a date has.",
        parameters: &[Parameter::new("date", Kinds::DATE, "The date.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"days_in_month(date("2024-02-10"))"#, r#"29"#),
            Example::fails(r#"days_in_month(2)"#, r#"wants date"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(date)] = arguments else { return Err(super::misuse()) };
    let (year, month, _) = date.civil();
    Ok(Value::Int(i64::from(days_in(year, month))))
}
