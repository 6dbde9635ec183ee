//! The first items of a list.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static TAKE: Function = Function {
    spec: Spec {
        name: "take",
        aliases: &[],
        about: "The first items of a list, or all if there are fewer.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("count", Kinds::INT, "How many stay."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok("take([1, 2, 3], 2)", "[1,2]"),
            Example::ok("take([1], 5)", "[1]"),
            Example::fails("take([1], -1)", "not negative"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::Int(count)] = arguments else { return Err(super::misuse()) };
    let Ok(count) = usize::try_from(*count) else { return Err(Failure::value("the count is not negative")) };
    Ok(Value::List(items.get(..count).unwrap_or(items)))
}
