//! Text without its end.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static STRIP_SUFFIX: Function = Function {
    spec: Spec {
        name: "strip_suffix",
        aliases: &[],
        about: "The text without a certain end; as it is if it ends otherwise.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("suffix", Kinds::TEXT, "What it may end with."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"strip_suffix("12 kg", " kg")"#, r#"12"#),
            Example::fails(r#"strip_suffix("a", 1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(suffix)] = arguments else { return Err(super::misuse()) };
    Ok(Value::String(text.strip_suffix(suffix).unwrap_or(text)))
}
