//! Several maps as one.

use std::collections::HashMap;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::operators;
use crate::record::Value;

pub(in crate::expr::functions) static MERGE: Function = Function {
    spec: Spec {
        name: "merge",
        aliases: &[],
        about: "Several maps as one: where two have a key the later one holds, in the place of the first. Maps below are replaced, not merged.",
        parameters: &[Parameter::new("map", Kinds::MAP, "A map.")],
        variadic: true,
        method: true,
        returns: Returns::Computed("map", super::merged_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"merge({"a": 1, "b": 2}, {"a": 3, "c": 4})"#, r#"{"a":3,"b":2,"c":4}"#),
            Example::fails(r#"merge({"a": 1}, [2])"#, "wants map"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut entries: bumpalo::collections::Vec<'a, (&'a str, Value<'a>)> = call.list(0)?;
    for map in arguments {
        for (key, value) in operators::entries(map) {
            let Value::String(key) = key else { return Err(Failure::types("the maps have keys that are not text")) };
            let place = *known.entry(key).or_insert(entries.len());
            match entries.get_mut(place) {
                Some((_, held)) => *held = value,
                None => {
                    call.spend(size_of::<(&str, Value<'_>)>())?;
                    entries.push((key, value));
                }
            }
        }
    }
    Ok(Value::Map(entries.into_bump_slice()))
}
