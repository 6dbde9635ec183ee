//! Text whose first letter is a capital.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CAPITALIZE: Function = Function {
    spec: Spec {
        name: "capitalize",
        aliases: &[],
        about: "The text with its first character in upper case; the others stay as they are.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"capitalize("élan vital")"#, r#"Élan vital"#),
            Example::fails(r#"capitalize(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut characters = text.chars();
    let Some(first) = characters.next() else { return Ok(Value::String(text)) };
    let mut out = call.text(text.len() + 12)?;
    out.extend(first.to_uppercase());
    out.push_str(characters.as_str());
    Ok(Value::String(out.into_bump_str()))
}
