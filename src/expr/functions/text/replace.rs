//! Text with one part replaced by another.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static REPLACE: Function = Function {
    spec: Spec {
        name: "replace",
        aliases: &[],
        about: "Replaces each occurrence of a text, or only the first ones.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("from", Kinds::TEXT, "What is replaced."),
            Parameter::new("to", Kinds::TEXT, "What stands there instead."),
            Parameter::new("limit", Kinds::INT, "At most so many; negative for all.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"replace("a-b-c", "-", "+")"#, r#"a+b+c"#),
            Example::ok(r#""aaa".replace("a", "b", 1)"#, r#"baa"#),
            Example::fails(r#"replace("a", 1, "b")"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(from), Value::String(to), rest @ ..] = arguments else {
        return Err(super::misuse());
    };
    let limit = match rest {
        [Value::Int(limit)] => usize::try_from(*limit).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let mut out = call.text(text.len())?;
    let mut last = 0;
    for (at, found) in text.match_indices(*from).take(limit) {
        call.spend(to.len())?;
        out.push_str(&text[last..at]);
        out.push_str(to);
        last = at + found.len();
    }
    if last == 0 && out.is_empty() {
        return Ok(Value::String(text));
    }
    out.push_str(&text[last..]);
    Ok(Value::String(out.into_bump_str()))
}
