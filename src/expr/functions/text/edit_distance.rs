//! How many edits lie between two texts.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static EDIT_DISTANCE: Function = Function {
    spec: Spec {
        name: "edit_distance",
        aliases: &[],
        about: "How many characters must be inserted, removed or replaced to get from one text to the other (Levenshtein).",
        parameters: &[
            Parameter::new("a", Kinds::TEXT, "One text, at most 1,000 characters."),
            Parameter::new("b", Kinds::TEXT, "The other."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"edit_distance("kitten", "sitting")"#, r#"3"#),
            Example::fails(r#"edit_distance(repeat("a", 1001), "b")"#, r#"1,000"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(a), Value::String(b)] = arguments else { return Err(super::misuse()) };
    super::comparable(call, a, b)?;
    Ok(Value::Int(i64::try_from(strsim::levenshtein(a, b)).unwrap_or(i64::MAX)))
}
