//! A list as a map by a key.

use std::collections::HashMap;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::reach;
use crate::record::Value;

pub(in crate::expr::functions) static INDEX_BY: Function = Function {
    spec: Spec {
        name: "index_by",
        aliases: &[],
        about: "A map from what stands at a path, as text, to the item that has it; two items with one key are an error.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("path", Kinds::TEXT, "Where the key of an item stands."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("map", super::index_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"index_by([{"id": 7, "n": "a"}], "id")"#, r#"{"7":{"id":7,"n":"a"}}"#),
            Example::fails(r#"index_by([{"id": 7}, {"id": 7}], "id")"#, "key of element 0 again"),
        ],
    },
    prepare: Some(reach::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::String(path)] = arguments else { return Err(super::misuse()) };
    let path = reach::path(call, path)?;
    let mut known: HashMap<&str, usize> = HashMap::with_capacity(items.len());
    let mut entries = call.list(items.len())?;
    for (index, item) in items.iter().enumerate() {
        let key = super::key_at(&reach::reach(item, &path), item, index, call)?;
        if let Some(first) = known.insert(key, index) {
            return Err(Failure::value(format!("element {index} has the key of element {first} again")));
        }
        entries.push((key, *item));
    }
    Ok(Value::Map(entries.into_bump_slice()))
}
