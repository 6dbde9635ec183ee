//! The lines of a text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static LINES: Function = Function {
    spec: Spec {
        name: "lines",
        aliases: &[],
        about: "The lines of a text without their ends; an end of line at the very end begins no further one.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::TextList,
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"lines("a\r\nb\n")"#, r#"["a","b"]"#),
            Example::ok(r#"size(lines("a\n\nb"))"#, r#"3"#),
            Example::fails(r#"lines(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut list = call.list(0)?;
    for line in text.lines() {
        call.spend(size_of::<Value<'_>>())?;
        list.push(Value::String(line));
    }
    Ok(Value::List(list.into_bump_slice()))
}
