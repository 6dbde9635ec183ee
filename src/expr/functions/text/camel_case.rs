//! A name in camel case.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CAMEL_CASE: Function = Function {
    spec: Spec {
        name: "camel_case",
        aliases: &[],
        about: "The words of a name as one, each but the first with a capital.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"camel_case("order_line id")"#, r#"orderLineId"#),
            Example::ok(r#""Order-Line".camel_case()"#, r#"orderLine"#),
            Example::fails(r#"camel_case(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    for word in super::name_words(text) {
        let lower = out.is_empty();
        for (index, character) in word.chars().enumerate() {
            if index > 0 || lower {
                super::push_lower(call, &mut out, character)?;
            } else {
                super::push_upper(call, &mut out, character)?;
            }
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
