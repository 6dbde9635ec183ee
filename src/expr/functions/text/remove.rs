//! Text without some characters.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static REMOVE: Function = Function {
    spec: Spec {
        name: "remove",
        aliases: &[],
        about: "Removes each of some characters, wherever they stand.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("characters", Kinds::TEXT, "The characters, at most 100."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"remove("12 34-56", " -")"#, r#"123456"#),
            Example::fails(r#"remove("a", 1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(characters)] = arguments else { return Err(super::misuse()) };
    super::few(characters)?;
    let mut out = call.text(text.len())?;
    out.extend(text.chars().filter(|c| !characters.contains(*c)));
    Ok(Value::String(out.into_bump_str()))
}
