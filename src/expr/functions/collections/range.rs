//! Whole numbers in a row.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static RANGE: Function = Function {
    spec: Spec {
        name: "range",
        aliases: &[],
        about: "The whole numbers from one up to, not with, another, at most 100,000 of them.",
        parameters: &[
            Parameter::new("from", Kinds::INT, "The first."),
            Parameter::new("to", Kinds::INT, "Behind the last."),
            Parameter::new("step", Kinds::INT, "How far apart, 1 if not said; negative counts down.").optional(),
        ],
        variadic: false,
        method: false,
        returns: Returns::Computed("list(int)", |_| Type::List(Box::new(Type::Int))),
        flow: Flow::Carries,
        examples: &[
            Example::ok("range(0, 3)", "[0,1,2]"),
            Example::ok("range(10, 0, -5)", "[10,5]"),
            Example::fails("range(0, 1, 0)", "not 0"),
            Example::fails("range(0, 10000000)", "too large"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Int(from), Value::Int(to), rest @ ..] = arguments else { return Err(super::misuse()) };
    let step = if let [Value::Int(step)] = rest { i128::from(*step) } else { 1 };
    if step == 0 {
        return Err(Failure::value("the step is not 0"));
    }
    let span = i128::from(*to) - i128::from(*from);
    let count = if span.signum() == step.signum() { (span.abs() + step.abs() - 1) / step.abs() } else { 0 };
    if count > 100_000 {
        return Err(Failure::limit());
    }
    let mut list = call.list(count as usize)?;
    list.extend((0..count).map(|index| Value::Int((i128::from(*from) + index * step) as i64)));
    Ok(Value::List(list.into_bump_slice()))
}
