//! A list or map without what says nothing.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static COMPACT: Function = Function {
    spec: Spec {
        name: "compact",
        aliases: &[],
        about: "Drops what says nothing: null, missing and blank text. What is inside of inner lists and maps stays.",
        parameters: &[Parameter::new("x", Kinds::LIST.or(Kinds::MAP), "The list or map.")],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"compact([1, null, "", " ", "a"])"#, r#"[1,"a"]"#),
            Example::ok(r#"compact({"a": null, "b": 0})"#, r#"{"b":0}"#),
            Example::fails(r#"compact("a")"#, "wants list or map"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::List(items)] => {
            let mut list = call.list(items.len())?;
            list.extend(items.iter().filter(|item| says(item)).copied());
            Ok(Value::List(list.into_bump_slice()))
        }
        [Value::Map(entries)] => {
            let mut list = call.list(entries.len())?;
            list.extend(entries.iter().filter(|(_, item)| says(item)).copied());
            Ok(Value::Map(list.into_bump_slice()))
        }
        [Value::Dict(entries)] => {
            let mut list = call.list(entries.len())?;
            list.extend(entries.iter().filter(|(_, item)| says(item)).copied());
            Ok(Value::Dict(list.into_bump_slice()))
        }
        _ => Err(super::misuse()),
    }
}

fn says(value: &Value<'_>) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        other => !other.is_absent(),
    }
}
