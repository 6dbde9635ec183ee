//! Text filled up on the right.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static PAD_RIGHT: Function = Function {
    spec: Spec {
        name: "pad_right",
        aliases: &[],
        about: "Fills a text up on the right to so many characters.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("width", Kinds::INT, "Characters of the result, at most 10,000."),
            Parameter::new("fill", Kinds::TEXT, "One character; a space if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"pad_right("7", 3, "0")"#, r#"700"#),
            Example::ok(r#""ab".pad_right(4, ".")"#, r#"ab.."#),
            Example::fails(r#"pad_right("7", 3, "")"#, r#"one character"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::Int(width), rest @ ..] = arguments else { return Err(super::misuse()) };
    let fill = if let [Value::String(fill)] = rest { fill } else { " " };
    if fill.chars().count() != 1 {
        return Err(Failure::value("the fill is one character"));
    }
    if *width > 10_000 {
        return Err(Failure::limit());
    }
    let missing = usize::try_from(*width).unwrap_or(0).saturating_sub(text.chars().count());
    let mut out = call.text(text.len() + missing * fill.len())?;
    out.push_str(text);
    for _ in 0..missing {
        out.push_str(fill);
    }
    Ok(Value::String(out.into_bump_str()))
}
