//! A map with some of its keys.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static PICK: Function = Function {
    spec: Spec {
        name: "pick",
        aliases: &[],
        about: "A map with these keys only, in its own order; keys that it does not have are left out.",
        parameters: &[
            Parameter::new("map", Kinds::MAP, "The map."),
            Parameter::new("key", Kinds::TEXT.or(Kinds::LIST), "A key, or a list of them."),
        ],
        variadic: true,
        method: true,
        returns: Returns::Fixed(Type::Dyn),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"pick({"a": 1, "b": 2, "c": 3}, "c", "a")"#, r#"{"a":1,"c":3}"#),
            Example::ok(r#"pick({"a": 1}, ["a", "b"])"#, r#"{"a":1}"#),
            Example::fails(r#"pick({"a": 1}, 1)"#, "wants string or list"),
            Example::fails(r#"pick({"a": 1}, [1])"#, "keys are text"),
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
            list.extend(entries.iter().filter(|(key, _)| wanted.contains(key)).copied());
            Ok(Value::Map(list.into_bump_slice()))
        }
        _ => Err(Failure::types("the map has keys that are not text")),
    }
}
