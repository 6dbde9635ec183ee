//! A list in order.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::sorted;
use crate::record::Value;

pub(in crate::expr::functions) static SORT: Function = Function {
    spec: Spec {
        name: "sort",
        aliases: &[],
        about: "The items of a list in order: numbers by what they amount to, text by its characters, times by when they are. What has no order with the rest is an error.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("direction", Kinds::TEXT, "`asc` (if not said) or `desc`.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok("sort([3, 1, 2.5])", "[1,2.5,3]"),
            Example::ok(r#"sort(["b", "a"], "desc")"#, r#"["b","a"]"#),
            Example::fails(r#"sort([1, "a"])"#, "cannot be compared"),
            Example::fails(r#"sort([1], "up")"#, "`asc` or `desc`"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), rest @ ..] = arguments else { return Err(super::misuse()) };
    sorted::sorted(items, |item| *item, false, sorted::descends(rest.first())?, call)
}
