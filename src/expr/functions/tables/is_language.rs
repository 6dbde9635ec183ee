//! Whether a text names a language.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::data;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_LANGUAGE: Function = Function {
    spec: Spec {
        name: "is_language",
        aliases: &[],
        about: "Whether a text is a code or the English name of a language, as `language` knows them.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_language("de")"#, "true"),
            Example::ok(r#"is_language("xx")"#, "false"),
            Example::fails("is_language(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(data::language(text).is_some()))
}
