//! Text with its ASCII letters in upper case.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static UPPER_ASCII: Function = Function {
    spec: Spec {
        name: "upper_ascii",
        aliases: &["upperAscii"],
        about: "The text with the letters a-z in upper case and all else as it is.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"upper_ascii("aÉ")"#, r#"AÉ"#),
            Example::fails(r#"upper_ascii(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    out.push_str(text);
    out.as_mut_str().make_ascii_uppercase();
    Ok(Value::String(out.into_bump_str()))
}
