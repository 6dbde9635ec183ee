//! Text without white space on the left.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TRIM_LEFT: Function = Function {
    spec: Spec {
        name: "trim_left",
        aliases: &[],
        about: "Removes white space, or each of some characters, on the left.",
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
            Example::ok(r#"trim_left("  a ")"#, r#"a "#),
            Example::ok(r#"trim_left("007", "0")"#, r#"7"#),
            Example::fails(r#"trim_left(3)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text)] => Ok(Value::String(text.trim_start())),
        [Value::String(text), Value::String(characters)] => {
            super::few(characters)?;
            Ok(Value::String(text.trim_start_matches(|c| characters.contains(c))))
        }
        _ => Err(super::misuse()),
    }
}
