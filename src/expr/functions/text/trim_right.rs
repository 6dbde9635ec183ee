//! Text without white space on the right.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TRIM_RIGHT: Function = Function {
    spec: Spec {
        name: "trim_right",
        aliases: &[],
        about: "Removes white space, or each of some characters, on the right.",
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
            Example::ok(r#"trim_right(" a  ")"#, r#" a"#),
            Example::ok(r#"trim_right("1.500", "0")"#, r#"1.5"#),
            Example::fails(r#"trim_right(3)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text)] => Ok(Value::String(text.trim_end())),
        [Value::String(text), Value::String(characters)] => {
            super::few(characters)?;
            Ok(Value::String(text.trim_end_matches(|c| characters.contains(c))))
        }
        _ => Err(super::misuse()),
    }
}
