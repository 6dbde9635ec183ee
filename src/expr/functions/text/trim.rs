//! Text without white space at its ends.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TRIM: Function = Function {
    spec: Spec {
        name: "trim",
        aliases: &[],
        about: "Removes white space, or each of some characters, at both ends.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new(
                "characters",
                Kinds::TEXT,
                "The characters that are removed, at most 100; white space if not said.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"trim("  a b ")"#, r#"a b"#),
            Example::ok(r#"trim("--a-b-", "-")"#, r#"a-b"#),
            Example::fails(r#"trim(3)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text)] => Ok(Value::String(text.trim())),
        [Value::String(text), Value::String(characters)] => {
            super::few(characters)?;
            Ok(Value::String(text.trim_matches(|c| characters.contains(c))))
        }
        _ => Err(super::misuse()),
    }
}
