//! The whole years from one date to another.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static YEARS_BETWEEN: Function = Function {
    spec: Spec {
        name: "years_between",
        aliases: &[],
        about: "How many whole years lie from one date to another; negative if the other is earlier.",
        parameters: &[Parameter::new("a", Kinds::DATE, "From here."), Parameter::new("b", Kinds::DATE, "To here.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"years_between(date("2000-02-29"), date("2024-02-28"))"#, r#"23"#),
            Example::fails(r#"years_between(1, 2)"#, r#"wants date"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(a), Value::Date(b)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Int(super::whole_months(*a, *b) / 12))
}
