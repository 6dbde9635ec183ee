//! Text cut to a length.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TRUNCATE: Function = Function {
    spec: Spec {
        name: "truncate",
        aliases: &[],
        about: "Cuts a text that is longer than so many characters; the ending stands where it was cut and counts.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("width", Kinds::INT, "The most characters of the result."),
            Parameter::new("ending", Kinds::TEXT, "What shows that something is gone; `…` if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"truncate("A long description", 7)"#, r#"A long…"#),
            Example::ok(r#"truncate("abcdef", 4, "")"#, r#"abcd"#),
            Example::ok(r#"truncate("short", 5)"#, r#"short"#),
            Example::fails(r#"truncate("abcdef", 2, "...")"#, r#"longer than the width"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::Int(width), rest @ ..] = arguments else { return Err(super::misuse()) };
    let ending = if let [Value::String(ending)] = rest { ending } else { "…" };
    let width = super::count_of(*width)?;
    if text.char_indices().nth(width).is_none() {
        return Ok(Value::String(text));
    }
    let keep = width
        .checked_sub(ending.chars().count())
        .ok_or_else(|| Failure::value("the ending is longer than the width"))?;
    let end = text.char_indices().nth(keep).map_or(text.len(), |(end, _)| end);
    let kept = if ending.is_empty() { &text[..end] } else { text[..end].trim_end() };
    let mut out = call.text(kept.len() + ending.len())?;
    out.push_str(kept);
    out.push_str(ending);
    Ok(Value::String(out.into_bump_str()))
}
