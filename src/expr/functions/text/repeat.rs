//! Text several times over.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static REPEAT: Function = Function {
    spec: Spec {
        name: "repeat",
        aliases: &[],
        about: "The text so many times in a row.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("count", Kinds::INT, "How often, 0 or more."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"repeat("ab", 3)"#, r#"ababab"#),
            Example::fails(r#"repeat("a", -1)"#, r#"0 or more"#),
            Example::fails(r#"repeat("a", 100000000)"#, r#"too large"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::Int(count)] = arguments else { return Err(super::misuse()) };
    let count = super::count_of(*count)?;
    let mut out = call.text(text.len().saturating_mul(count))?;
    if !text.is_empty() {
        for _ in 0..count {
            out.push_str(text);
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
