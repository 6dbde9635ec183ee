//! A map with other names for its keys.

use std::collections::{HashMap, HashSet};

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static RENAME_KEYS: Function = Function {
    spec: Spec {
        name: "rename_keys",
        aliases: &[],
        about: "A map in which some keys have another name: `names` maps the old to the new. Two entries that end with one name are an error.",
        parameters: &[
            Parameter::new("map", Kinds::MAP, "The map."),
            Parameter::new("names", Kinds::MAP, "From old to new names."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Dyn),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"rename_keys({"a": 1, "b": 2}, {"a": "x"})"#, r#"{"x":1,"b":2}"#),
            Example::fails(r#"rename_keys({"a": 1, "b": 2}, {"a": "b"})"#, "twice"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Map(entries), Value::Map(names)] = arguments else {
        return Err(Failure::types("the maps have keys that are not text"));
    };
    let names: HashMap<&str, &Value<'a>> = names.iter().map(|(old, new)| (*old, new)).collect();
    let mut known = HashSet::with_capacity(entries.len());
    let mut list = call.list(entries.len())?;
    for (key, value) in *entries {
        let name = match names.get(key) {
            None => key,
            Some(Value::String(new)) => new,
            Some(_) => return Err(Failure::types("the new names are text")),
        };
        if !known.insert(*name) {
            return Err(Failure::value("a key would stand twice"));
        }
        list.push((*name, *value));
    }
    Ok(Value::Map(list.into_bump_slice()))
}
