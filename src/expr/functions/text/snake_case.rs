//! A name in snake case.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SNAKE_CASE: Function = Function {
    spec: Spec {
        name: "snake_case",
        aliases: &[],
        about: "The words of a name in lower case with `_` between them; a new word begins behind what is no letter or digit and at a capital.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"snake_case("orderLine ID")"#, r#"order_line_id"#),
            Example::ok(r#"snake_case("HTTPServer2Go")"#, r#"http_server2_go"#),
            Example::fails(r#"snake_case(1)"#, r#"wants string"#),
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
            out.push('_');
        }
        for character in word.chars() {
            super::push_lower(call, &mut out, character)?;
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
