//! A name in kebab case.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static KEBAB_CASE: Function = Function {
    spec: Spec {
        name: "kebab_case",
        aliases: &[],
        about: "The words of a name in lower case with `-` between them; a new word begins behind what is no letter or digit and at a capital.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"kebab_case("OrderLine_ID")"#, r#"order-line-id"#),
            Example::fails(r#"kebab_case(true)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len() * 2)?;
    for word in super::name_words(text) {
        if !out.is_empty() {
            out.push('-');
        }
        for character in word.chars() {
            super::push_lower(call, &mut out, character)?;
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
