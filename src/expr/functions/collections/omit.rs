//! A map with all but some of its keys.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static OMIT: Function = Function {
    spec: Spec {
        name: "omit",
        aliases: &[],
        about: "A map without these keys.",
        parameters: &[
            Parameter::new("map", Kinds::MAP, "The map."),
            Parameter::new("key", Kinds::TEXT.or(Kinds::LIST), "A key, or a list of them."),
        ],
        variadic: true,
        method: true,
        returns: Returns::Fixed(Type::Dyn),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"omit({"a": 1, "b": 2}, "a")"#, r#"{"b":2}"#),
            Example::ok(r#"omit({"a": 1, "b": 2}, ["a", "c"])"#, r#"{"b":2}"#),
            Example::fails(r#"omit({"a": 1}, 1)"#, "wants string or list"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [map, keys @ ..] = arguments else { return Err(super::misuse()) };
    let wanted = super::texts(keys)?;
    match map {
        Value::Map(entries) => {
            let mut list = call.list(entries.len())?;
            list.extend(entries.iter().filter(|(key, _)| !wanted.contains(key)).copied());
            Ok(Value::Map(list.into_bump_slice()))
        }
        _ => Err(Failure::types("the map has keys that are not text")),
    }
}
