//! What stands in one of two lists.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static UNION: Function = Function {
    spec: Spec {
        name: "union",
        aliases: &[],
        about: "The items of two lists, each once, in the order of first appearance.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("other", Kinds::LIST, "The other list."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Common,
        flow: Flow::Carries,
        examples: &[Example::ok("union([1, 2], [2, 3])", "[1,2,3]"), Example::fails("union([1], 2)", "wants list")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::List(others)] = arguments else { return Err(super::misuse()) };
    let mut all = call.list(items.len() + others.len())?;
    all.extend_from_slice(items);
    all.extend_from_slice(others);
    super::distinct_items(&all, |item| *item, call)
}
