//! A part of a list.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static SLICE: Function = Function {
    spec: Spec {
        name: "slice",
        aliases: &[],
        about: "The items from one position up to, not with, another; a negative position counts from the end. What lies outside is left out.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("from", Kinds::INT, "The first position, from 0."),
            Parameter::new("to", Kinds::INT, "Behind the last position; the end if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok("slice([1, 2, 3, 4], 1, 3)", "[2,3]"),
            Example::ok("slice([1, 2, 3], -2)", "[2,3]"),
            Example::fails(r#"slice([1], "a")"#, "wants int"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::Int(from), rest @ ..] = arguments else { return Err(super::misuse()) };
    let length = items.len() as i64;
    let place = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length) as usize;
    let to = if let [Value::Int(to)] = rest { place(*to) } else { items.len() };
    Ok(Value::List(items.get(place(*from)..to).unwrap_or_default()))
}
