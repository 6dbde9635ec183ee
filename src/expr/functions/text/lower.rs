//! Text in lower case.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static LOWER: Function = Function {
    spec: Spec {
        name: "lower",
        aliases: &[],
        about: "The text in lower case, by the rules of Unicode.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"lower("aÉ")"#, r#"aé"#), Example::fails(r#"lower(1)"#, r#"wants string"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character.to_ascii_lowercase());
        } else {
            call.spend(4)?;
            out.extend(character.to_lowercase());
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
