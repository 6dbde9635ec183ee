//! Whether a text is an ISBN.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_ISBN: Function = Function {
    spec: Spec {
        name: "is_isbn",
        aliases: &[],
        about: "Whether a text is a book number of 10 or 13 digits whose check digit holds (ISO 2108); hyphens and spaces are passed over.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_isbn("978-0-306-40615-7")"#, "true"),
            Example::ok(r#"is_isbn("0-306-40615-2")"#, "true"),
            Example::ok(r#"is_isbn("0-306-40615-3")"#, "false"),
            Example::fails("is_isbn(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::isbn(text)))
}
