//! A name in Pascal case.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static PASCAL_CASE: Function = Function {
    spec: Spec {
        name: "pascal_case",
        aliases: &[],
        about: "The words of a name as one, each with a capital.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"pascal_case("order_line id")"#, r#"OrderLineId"#),
            Example::fails(r#"pascal_case(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    for word in super::name_words(text) {
        for (index, character) in word.chars().enumerate() {
            if index > 0 {
                super::push_lower(call, &mut out, character)?;
            } else {
                super::push_upper(call, &mut out, character)?;
            }
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
