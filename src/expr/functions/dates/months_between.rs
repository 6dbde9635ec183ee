//! The whole months from one date to another.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MONTHS_BETWEEN: Function = Function {
    spec: Spec {
        name: "months_between",
        aliases: &[],
        about: "How many whole months lie from one date to another; negative if the other is earlier.",
        parameters: &[Parameter::new("a", Kinds::DATE, "From here."), Parameter::new("b", Kinds::DATE, "To here.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"months_between(date("2024-01-31"), date("2024-02-29"))"#, r#"1"#),
            Example::ok(r#"months_between(date("2024-03-15"), date("2024-01-16"))"#, r#"-1"#),
            Example::fails(r#"months_between(1, 2)"#, r#"wants date"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(a), Value::Date(b)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Int(super::whole_months(*a, *b)))
}
