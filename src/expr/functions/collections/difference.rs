//! What one list has and another has not.

use std::collections::HashSet;

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::identity;
use crate::record::Value;

pub(in crate::expr::functions) static DIFFERENCE: Function = Function {
    spec: Spec {
        name: "difference",
        aliases: &[],
        about: "The items of a list that do not stand in another.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("other", Kinds::LIST, "The other list."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok("difference([1, 2, 3], [2])", "[1,3]"),
            Example::fails("difference([1], 1)", "wants list"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::List(others)] = arguments else { return Err(super::misuse()) };
    let mut known = HashSet::with_capacity(others.len());
    for other in *others {
        let mut bytes = Vec::new();
        identity::write(other, call, &mut bytes)?;
        known.insert(bytes);
    }
    let mut list = call.list(items.len())?;
    let mut bytes = Vec::new();
    for item in *items {
        bytes.clear();
        identity::write(item, call, &mut bytes)?;
        if !known.contains(&bytes) {
            list.push(*item);
        }
    }
    Ok(Value::List(list.into_bump_slice()))
}
