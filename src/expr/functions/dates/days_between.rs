//! The days from one date to another.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static DAYS_BETWEEN: Function = Function {
    spec: Spec {
        name: "days_between",
        aliases: &[],
        about: "How many days lie from one date to another; negative if the other is earlier.",
        parameters: &[Parameter::new("a", Kinds::DATE, "From here."), Parameter::new("b", Kinds::DATE, "To here.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"days_between(date("2024-02-28"), date("2024-03-01"))"#, r#"2"#),
            Example::fails(r#"days_between(date("2024-02-28"), "2024-03-01")"#, r#"wants date"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(a), Value::Date(b)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Int(i64::from(b.days) - i64::from(a.days)))
}
