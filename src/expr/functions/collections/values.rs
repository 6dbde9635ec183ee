//! The values of a map.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static VALUES: Function = Function {
    spec: Spec {
        name: "values",
        aliases: &[],
        about: "The values of a map, in its order.",
        parameters: &[Parameter::new("map", Kinds::MAP, "The map.")],
        variadic: false,
        method: true,
        returns: Returns::Computed("list", super::values_type),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"values({"a": 1, "b": 2})"#, "[1,2]"), Example::fails("values([1])", "wants map")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let list = match arguments {
        [Value::Map(entries)] => {
            let mut list = call.list(entries.len())?;
            list.extend(entries.iter().map(|(_, value)| *value));
            list
        }
        [Value::Dict(entries)] => {
            let mut list = call.list(entries.len())?;
            list.extend(entries.iter().map(|(_, value)| *value));
            list
        }
        _ => return Err(super::misuse()),
    };
    Ok(Value::List(list.into_bump_slice()))
}
