//! The position of the last occurrence of a text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static LAST_INDEX_OF: Function = Function {
    spec: Spec {
        name: "last_index_of",
        aliases: &["lastIndexOf"],
        about: "The position of the last occurrence of a text, from 0; -1 if there is none.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("part", Kinds::TEXT, "What is looked for."),
            Parameter::new("until", Kinds::INT, "Where a match begins at the latest.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#""héllo".last_index_of("l")"#, r#"3"#),
            Example::fails(r#""a".last_index_of("a", 5)"#, r#"outside"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(part), rest @ ..] = arguments else { return Err(super::misuse()) };
    let outside = || Failure::value("the position lies outside of the text");
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let last = match rest {
        [Value::Int(last)] => {
            usize::try_from(*last).ok().and_then(|last| places.get(last).copied()).ok_or_else(outside)?
        }
        _ => text.len(),
    };
    // The match begins at `last` at the latest.
    let end = places.iter().copied().filter(|at| *at <= last.saturating_add(part.len())).max().unwrap_or(0);
    let found = text[..end].rfind(*part).filter(|at| *at <= last);
    Ok(Value::Int(found.map_or(-1, |at| text[..at].chars().count() as i64)))
}
