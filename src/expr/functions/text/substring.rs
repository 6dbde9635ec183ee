//! A part of a text by character positions.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SUBSTRING: Function = Function {
    spec: Spec {
        name: "substring",
        aliases: &[],
        about: "The characters from a position (from 0) up to another, or to the end.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("start", Kinds::INT, "First character, from 0."),
            Parameter::new("end", Kinds::INT, "Behind the last character.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"substring("héllo", 1, 3)"#, r#"él"#),
            Example::fails(r#"substring("a", 2)"#, r#"outside"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::Int(start), rest @ ..] = arguments else { return Err(super::misuse()) };
    let outside = || Failure::value("the positions lie outside of the text");
    let position = |index: &i64| {
        let index = usize::try_from(*index).ok()?;
        text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(index)
    };
    let start = position(start).ok_or_else(outside)?;
    let end = if let [Value::Int(end)] = rest { position(end).ok_or_else(outside)? } else { text.len() };
    text.get(start..end).map(Value::String).ok_or_else(outside)
}
