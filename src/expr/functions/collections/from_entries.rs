//! A list as a map.

use std::collections::HashMap;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::identity;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FROM_ENTRIES: Function = Function {
    spec: Spec {
        name: "from_entries",
        aliases: &[],
        about: "A map from a list of maps with `key` and `value`, as `entries` makes it, or of lists of two. Keys become text, and each stands once.",
        parameters: &[Parameter::new("list", Kinds::LIST, "The list.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Dyn),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"from_entries([{"key": "a", "value": 1}])"#, r#"{"a":1}"#),
            Example::ok(r#"from_entries([["a", 1], [2, "b"]])"#, r#"{"a":1,"2":"b"}"#),
            Example::fails(r#"from_entries([["a", 1], ["a", 2]])"#, "key of element 0 again"),
            Example::fails("from_entries([1])", "element 0"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items)] = arguments else { return Err(super::misuse()) };
    let mut entries = call.list(items.len())?;
    let mut known = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let (key, value) = match item {
            Value::List([key, value]) => (*key, *value),
            Value::Map(_) | Value::Dict(_) => (item.get("key"), item.get("value")),
            _ => {
                let name = item.type_name();
                return Err(Failure::types(format!("element {index} is {name}, neither a map nor a list of two")));
            }
        };
        let Some(key) = identity::key(&key, call)? else {
            return Err(Failure::types(format!("element {index} has no key: it is {}", key.type_name())));
        };
        if let Some(first) = known.insert(key, index) {
            return Err(Failure::value(format!("element {index} has the key of element {first} again")));
        }
        if !value.is_missing() {
            entries.push((key, value));
        }
    }
    Ok(Value::Map(entries.into_bump_slice()))
}
