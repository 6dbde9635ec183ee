//! The position of the first occurrence of a text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static INDEX_OF: Function = Function {
    spec: Spec {
        name: "index_of",
        aliases: &["indexOf"],
        about: "The position of the first occurrence of a text, from 0; -1 if there is none.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("part", Kinds::TEXT, "What is looked for."),
            Parameter::new("from", Kinds::INT, "Where the search begins.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#""héllo".index_of("l")"#, r#"2"#),
            Example::fails(r#""a".index_of("a", 5)"#, r#"outside"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(part), rest @ ..] = arguments else { return Err(super::misuse()) };
    let outside = || Failure::value("the position lies outside of the text");
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let from = match rest {
        [Value::Int(from)] => {
            usize::try_from(*from).ok().and_then(|from| places.get(from).copied()).ok_or_else(outside)?
        }
        _ => 0,
    };
    let found = text[from..].find(*part).map(|at| at + from);
    Ok(Value::Int(found.map_or(-1, |at| text[..at].chars().count() as i64)))
}
