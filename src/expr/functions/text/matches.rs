//! Whether a text matches a pattern.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MATCHES: Function = Function {
    spec: Spec {
        name: "matches",
        aliases: &[],
        about: "Whether a regular expression (RE2 syntax, linear time) matches anywhere in the text.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("pattern", Kinds::TEXT, "The pattern; `^` and `$` bind it to the ends."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"matches("sku-12", "^[a-z]+-[0-9]+$")"#, r#"true"#),
            Example::fails(r#"matches("a", "(")"#, r#"pattern"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern)] = arguments else { return Err(super::misuse()) };
    match call.prepared {
        Prepared::Pattern(pattern) => Ok(Value::Bool(pattern.is_match(text))),
        _ => Ok(Value::Bool(super::pattern_of(pattern)?.is_match(text))),
    }
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_pattern(constants)
}
