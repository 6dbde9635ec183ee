//! A calendar date from text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Date, Type, Value};

pub(in crate::expr::functions) static DATE: Function = Function {
    spec: Spec {
        name: "date",
        aliases: &[],
        about: "Reads `YYYY-MM-DD`.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::DATE), "The date.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Date),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"date("2024-02-29")"#, r#"2024-02-29"#),
            Example::fails(r#"date("2023-02-29")"#, r#"YYYY-MM-DD"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text)] => Date::parse(text)
            .map(Value::Date)
            .ok_or_else(|| Failure::value("the text is not a date in the form YYYY-MM-DD")),
        [Value::Date(date)] => Ok(Value::Date(*date)),
        _ => Err(super::misuse()),
    }
}
