//! Whether a date is a Saturday or Sunday.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_WEEKEND: Function = Function {
    spec: Spec {
        name: "is_weekend",
        aliases: &[],
        about: "Whether a date is a Saturday or Sunday.",
        parameters: &[Parameter::new("date", Kinds::DATE, "The date.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_weekend(date("2024-05-04"))"#, r#"true"#),
            Example::fails(r#"is_weekend("2024-05-04")"#, r#"wants date"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(date)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(!super::is_weekday(date.days)))
}
