//! The first characters of a text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static LEFT: Function = Function {
    spec: Spec {
        name: "left",
        aliases: &[],
        about: "The first characters of a text, or all of it if it is shorter.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("count", Kinds::INT, "How many characters, 0 or more."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"left("héllo", 2)"#, r#"hé"#),
            Example::ok(r#""a".left(5)"#, r#"a"#),
            Example::fails(r#"left("a", -1)"#, r#"0 or more"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::Int(count)] = arguments else { return Err(super::misuse()) };
    let count = super::count_of(*count)?;
    Ok(Value::String(text.char_indices().nth(count).map_or(*text, |(end, _)| &text[..end])))
}
