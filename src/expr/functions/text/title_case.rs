//! Text in which each word begins with a capital.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TITLE_CASE: Function = Function {
    spec: Spec {
        name: "title_case",
        aliases: &[],
        about: "Each word with its first letter in upper case and the others in lower case; an apostrophe begins no word.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"title_case("JEAN-LUC o'NEIL")"#, r#"Jean-Luc O'neil"#),
            Example::fails(r#"title_case(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    let mut inside = false;
    for character in text.chars() {
        if inside {
            super::push_lower(call, &mut out, character)?;
        } else {
            super::push_upper(call, &mut out, character)?;
        }
        inside = super::is_letter(character) || (inside && matches!(character, '\'' | '\u{2019}'));
    }
    Ok(Value::String(out.into_bump_str()))
}
