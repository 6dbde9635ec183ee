//! A list cut into pieces.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static CHUNK: Function = Function {
    spec: Spec {
        name: "chunk",
        aliases: &[],
        about: "Cuts a list into lists of so many items; the last one holds what is left.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("size", Kinds::INT, "Items of a piece, at least 1."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("a list of lists", super::list_of),
        flow: Flow::Carries,
        examples: &[
            Example::ok("chunk([1, 2, 3], 2)", "[[1,2],[3]]"),
            Example::ok("chunk([], 2)", "[]"),
            Example::fails("chunk([1], 0)", "at least 1"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::Int(size)] = arguments else { return Err(super::misuse()) };
    let size = match usize::try_from(*size) {
        Ok(size) if size > 0 => size,
        _ => return Err(Failure::value("the size is at least 1")),
    };
    let mut list = call.list(items.len().div_ceil(size))?;
    list.extend(items.chunks(size).map(Value::List));
    Ok(Value::List(list.into_bump_slice()))
}
