//! Text with single spaces.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static COLLAPSE_SPACES: Function = Function {
    spec: Spec {
        name: "collapse_spaces",
        aliases: &[],
        about: "Each run of white space as one space, and none at the ends.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"collapse_spaces("  a \t b\n")"#, r#"a b"#),
            Example::fails(r#"collapse_spaces(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    Ok(Value::String(out.into_bump_str()))
}
