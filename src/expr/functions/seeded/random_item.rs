//! One item of a list, picked at random.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static RANDOM_ITEM: Function = Function {
    spec: Spec {
        name: "random_item",
        aliases: &[],
        about: "One item of a list, picked at random.",
        parameters: &[Parameter::new("list", Kinds::LIST, "What is picked from.")],
        variadic: false,
        method: true,
        returns: Returns::Computed("as the items of `list`", super::item_type),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"random_item(["a", "a"])"#, "a"), Example::fails("random_item([])", "empty")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items)] = arguments else { return Err(super::misuse()) };
    if items.is_empty() {
        return Err(Failure::value("the list is empty"));
    }
    let place = (super::number(call) % items.len() as u128) as usize;
    Ok(items.get(place).copied().unwrap_or_default())
}
