//! The character at a position.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CHAR_AT: Function = Function {
    spec: Spec {
        name: "char_at",
        aliases: &["charAt"],
        about: "The character at a position, from 0; empty just behind the end.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("index", Kinds::INT, "The position."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[Example::ok(r#""héllo".char_at(1)"#, r#"é"#), Example::fails(r#""a".char_at(3)"#, r#"outside"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::Int(index)] = arguments else { return Err(super::misuse()) };
    let outside = || Failure::value("the position lies outside of the text");
    let index = usize::try_from(*index).map_err(|_| outside())?;
    match text.char_indices().nth(index) {
        Some((at, character)) => Ok(Value::String(&text[at..at + character.len_utf8()])),
        None if text.chars().count() == index => Ok(Value::String("")),
        None => Err(outside()),
    }
}
