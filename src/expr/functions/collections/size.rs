//! The length of text, bytes, lists and maps.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SIZE: Function = Function {
    spec: Spec {
        name: "size",
        aliases: &[],
        about: "The number of characters, bytes, items or entries.",
        parameters: &[Parameter::new(
            "x",
            Kinds::TEXT.or(Kinds::BYTES).or(Kinds::LIST).or(Kinds::MAP),
            "What is measured.",
        )],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"size("héllo")"#, r#"5"#),
            Example::ok(r#"[1, 2].size()"#, r#"2"#),
            Example::fails(r#"size(3)"#, r#"wants string, bytes, list or map"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Int(match arguments {
        [Value::String(text)] => text.chars().count(),
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(items)] => items.len(),
        [Value::Map(entries)] => entries.len(),
        [Value::Dict(entries)] => entries.len(),
        _ => return Err(super::misuse()),
    } as i64))
}
