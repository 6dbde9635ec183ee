//! A list without repetitions.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static DISTINCT: Function = Function {
    spec: Spec {
        name: "distinct",
        aliases: &[],
        about: "The items of a list, each once, in the order of first appearance.",
        parameters: &[Parameter::new("list", Kinds::LIST, "The list.")],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"distinct(["b", "a", "b"])"#, r#"["b","a"]"#),
            Example::ok(r#"distinct([1, 1.0, "1"])"#, r#"[1,"1"]"#),
            Example::fails(r#"distinct({"a": 1})"#, "wants list"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items)] = arguments else { return Err(super::misuse()) };
    super::distinct_items(items, |item| *item, call)
}
