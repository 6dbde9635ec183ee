//! Text with its ASCII letters in lower case.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static LOWER_ASCII: Function = Function {
    spec: Spec {
        name: "lower_ascii",
        aliases: &["lowerAscii"],
        about: "The text with the letters a-z in lower case and all else as it is.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"lower_ascii("aÉ")"#, r#"aÉ"#),
            Example::fails(r#"lower_ascii(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    out.push_str(text);
    out.as_mut_str().make_ascii_lowercase();
    Ok(Value::String(out.into_bump_str()))
}
