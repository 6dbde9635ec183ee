//! Lists of lists as one list.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static FLATTEN: Function = Function {
    spec: Spec {
        name: "flatten",
        aliases: &[],
        about: "The items of inner lists in the place of these, one level deep or as many as are said.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("depth", Kinds::INT, "How many levels, 1 to 16; 1 if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("list", super::flat_type),
        flow: Flow::Carries,
        examples: &[
            Example::ok("flatten([[1, 2], [3], 4])", "[1,2,3,4]"),
            Example::ok("flatten([[1, [2, [3]]]], 3)", "[1,2,3]"),
            Example::fails("flatten([[1]], 0)", "1 to 16"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), rest @ ..] = arguments else { return Err(super::misuse()) };
    let depth = match rest {
        [] => 1,
        [Value::Int(depth @ 1..=16)] => *depth,
        _ => return Err(Failure::value("the depth is 1 to 16")),
    };
    let mut list = call.list(items.len())?;
    flatten(items, depth, call, &mut list)?;
    Ok(Value::List(list.into_bump_slice()))
}

fn flatten<'a>(
    items: &[Value<'a>],
    depth: i64,
    call: &Call<'_, 'a>,
    list: &mut bumpalo::collections::Vec<'a, Value<'a>>,
) -> Result<(), Failure> {
    for item in items {
        match item {
            Value::List(inner) if depth > 0 => flatten(inner, depth - 1, call, list)?,
            item => {
                call.spend(size_of::<Value<'_>>())?;
                list.push(*item);
            }
        }
    }
    Ok(())
}
