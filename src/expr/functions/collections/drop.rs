//! A list without its first items.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static DROP: Function = Function {
    spec: Spec {
        name: "drop",
        aliases: &[],
        about: "A list without its first items.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("count", Kinds::INT, "How many go."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok("drop([1, 2, 3], 1)", "[2,3]"),
            Example::ok("drop([1], 5)", "[]"),
            Example::fails("drop([1], -1)", "not negative"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::Int(count)] = arguments else { return Err(super::misuse()) };
    let Ok(count) = usize::try_from(*count) else { return Err(Failure::value("the count is not negative")) };
    Ok(Value::List(items.get(count..).unwrap_or_default()))
}
