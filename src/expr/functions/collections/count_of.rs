//! How often a value stands in a list.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::operators;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static COUNT_OF: Function = Function {
    spec: Spec {
        name: "count_of",
        aliases: &[],
        about: "How many items of a list are equal to a value.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("item", Kinds::ANY, "The value."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"count_of(["a", "b", "a"], "a")"#, "2"),
            Example::ok(r#"count_of([1, 1.0, "1"], 1)"#, "2"),
            Example::fails(r#"count_of("a", "a")"#, "wants list"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), wanted] = arguments else { return Err(super::misuse()) };
    Ok(Value::Int(items.iter().filter(|item| operators::equals(item, wanted)).count() as i64))
}
