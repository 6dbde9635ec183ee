//! The keys of a map.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static KEYS: Function = Function {
    spec: Spec {
        name: "keys",
        aliases: &[],
        about: "The keys of a map, in its order.",
        parameters: &[Parameter::new("map", Kinds::MAP, "The map.")],
        variadic: false,
        method: true,
        returns: Returns::Computed("list", super::keys_type),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"keys({"a": 1, "b": 2})"#, r#"["a","b"]"#), Example::fails("keys([1])", "wants map")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let list = match arguments {
        [Value::Map(entries)] => {
            let mut list = call.list(entries.len())?;
            list.extend(entries.iter().map(|(key, _)| Value::String(key)));
            list
        }
        [Value::Dict(entries)] => {
            let mut list = call.list(entries.len())?;
            list.extend(entries.iter().map(|(key, _)| *key));
            list
        }
        _ => return Err(super::misuse()),
    };
    Ok(Value::List(list.into_bump_slice()))
}
