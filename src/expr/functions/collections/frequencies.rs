//! How often each value stands in a list.

use std::collections::HashMap;

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FREQUENCIES: Function = Function {
    spec: Spec {
        name: "frequencies",
        aliases: &[],
        about: "A map from each item, as text, to how often it stands in the list, in the order of first appearance.",
        parameters: &[Parameter::new("list", Kinds::LIST, "The list.")],
        variadic: false,
        method: true,
        returns: Returns::Computed("map(int)", |_| Type::Map(Box::new(Type::Int))),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"frequencies(["b", "a", "b"])"#, r#"{"b":2,"a":1}"#),
            Example::fails("frequencies([null])", "element 0 is null"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items)] = arguments else { return Err(super::misuse()) };
    let mut entries: bumpalo::collections::Vec<'a, (&'a str, Value<'a>)> = call.list(0)?;
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let key = super::key_at(item, item, index, call)?;
        let place = *known.entry(key).or_insert(entries.len());
        match entries.get_mut(place) {
            Some((_, Value::Int(count))) => *count += 1,
            _ => {
                call.spend(size_of::<(&str, Value<'_>)>())?;
                entries.push((key, Value::Int(1)));
            }
        }
    }
    Ok(Value::Map(entries.into_bump_slice()))
}
