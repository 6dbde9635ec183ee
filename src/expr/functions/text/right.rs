//! The last characters of a text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static RIGHT: Function = Function {
    spec: Spec {
        name: "right",
        aliases: &[],
        about: "The last characters of a text, or all of it if it is shorter.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("count", Kinds::INT, "How many characters, 0 or more."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"right("4111111111111111", 4)"#, r#"1111"#),
            Example::ok(r#""é".right(5)"#, r#"é"#),
            Example::fails(r#"right("a", -1)"#, r#"0 or more"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::Int(count)] = arguments else { return Err(super::misuse()) };
    let Some(last) = super::count_of(*count)?.checked_sub(1) else { return Ok(Value::String("")) };
    Ok(Value::String(text.char_indices().nth_back(last).map_or(*text, |(start, _)| &text[start..])))
}
