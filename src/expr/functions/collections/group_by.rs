//! A list sorted into groups.

use std::collections::HashMap;

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::reach;
use crate::record::Value;

pub(in crate::expr::functions) static GROUP_BY: Function = Function {
    spec: Spec {
        name: "group_by",
        aliases: &[],
        about: "A map from what stands at a path, as text, to the list of the items that have it; groups and items in the order of first appearance.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("path", Kinds::TEXT, "Where the name of the group stands."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("map(list)", super::groups_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"group_by([{"c": "x", "n": 1}, {"c": "y", "n": 2}, {"c": "x", "n": 3}], "c")"#,
                r#"{"x":[{"c":"x","n":1},{"c":"x","n":3}],"y":[{"c":"y","n":2}]}"#,
            ),
            Example::fails(r#"group_by([{"a": 1}], "b")"#, "element 0 is missing"),
        ],
    },
    prepare: Some(reach::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::String(path)] = arguments else { return Err(super::misuse()) };
    let path = reach::path(call, path)?;
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&str, bumpalo::collections::Vec<'a, Value<'a>>)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let key = super::key_at(&reach::reach(item, &path), item, index, call)?;
        let place = *known.entry(key).or_insert(groups.len());
        call.spend(size_of::<Value<'_>>())?;
        match groups.get_mut(place) {
            Some((_, group)) => group.push(*item),
            None => {
                let mut group = call.list(4)?;
                group.push(*item);
                groups.push((key, group));
            }
        }
    }
    let mut entries = call.list(groups.len())?;
    entries.extend(groups.into_iter().map(|(key, group)| (key, Value::List(group.into_bump_slice()))));
    Ok(Value::Map(entries.into_bump_slice()))
}
