//! A map as a list.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::operators;
use crate::record::Value;

pub(in crate::expr::functions) static ENTRIES: Function = Function {
    spec: Spec {
        name: "entries",
        aliases: &[],
        about: "The entries of a map as a list of maps with `key` and `value`.",
        parameters: &[Parameter::new("map", Kinds::MAP, "The map.")],
        variadic: false,
        method: true,
        returns: Returns::Computed("list(map)", super::entries_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"entries({"a": 1})"#, r#"[{"key":"a","value":1}]"#),
            Example::fails("entries([1])", "wants map"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [map] = arguments else { return Err(super::misuse()) };
    let entries = operators::entries(map);
    call.spend(entries.len().saturating_mul(size_of::<(Value<'_>, Value<'_>)>()))?;
    let mut list = call.list(entries.len())?;
    for (key, value) in entries {
        let mut pair = call.list(2)?;
        pair.push(("key", key));
        pair.push(("value", value));
        list.push(Value::Map(pair.into_bump_slice()));
    }
    Ok(Value::List(list.into_bump_slice()))
}
