//! The end of a list.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static LAST: Function = Function {
    spec: Spec {
        name: "last",
        aliases: &[],
        about: "The last item of a list; of an empty one what else is said, or an error.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("otherwise", Kinds::ANY.or(Kinds::NULL), "The result for an empty list.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("as the items of `list`", super::item_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok("last([3, 1])", "1"),
            Example::ok("last([], 0)", "0"),
            Example::fails("last([])", "empty"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::List(items), ..] if !items.is_empty() => Ok(items.last().copied().unwrap_or_default()),
        [Value::List(_), otherwise] => Ok(*otherwise),
        _ => Err(Failure::value("the list is empty: say what else with a second argument")),
    }
}
