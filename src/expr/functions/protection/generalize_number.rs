//! The range a number lies in.

use std::fmt::Write;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static GENERALIZE_NUMBER: Function = Function {
    spec: Spec {
        name: "generalize_number",
        aliases: &[],
        about: "The range of a width that a number lies in, as text: `40-49`. From `top` on there is one range, `90+`. The width is 5 at least, or a range would be as good as the number.",
        parameters: &[
            Parameter::new("x", Kinds::INT.or(Kinds::UINT).or(Kinds::DECIMAL), "The number; its fraction is dropped."),
            Parameter::new("width", Kinds::INT, "How many whole numbers a range holds, 5 to 1,000,000,000."),
            Parameter::new("top", Kinds::INT, "Where the last range begins.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["pii.age"], to: None },
        examples: &[
            Example::ok("generalize_number(43, 10)", "40-49"),
            Example::ok("generalize_number(93, 10, 90)", "90+"),
            Example::ok("generalize_number(-3, 5)", "-5--1"),
            Example::fails("generalize_number(43, 2)", "5 to"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [x, Value::Int(width), rest @ ..] = arguments else { return Err(super::misuse()) };
    if !(5..=1_000_000_000).contains(width) {
        return Err(Failure::value("the width is 5 to 1,000,000,000"));
    }
    let whole = match x {
        Value::Int(x) => i128::from(*x),
        Value::Uint(x) => i128::from(*x),
        Value::Decimal(x) => x.round(0, Rounding::Floor)?.mantissa(),
        _ => return Err(super::misuse()),
    };
    let width = i128::from(*width);
    let from = whole.div_euclid(width) * width;
    let mut out = call.text(64)?;
    match rest {
        [Value::Int(top)] if whole >= i128::from(*top) => write!(out, "{top}+"),
        [Value::Int(top)] => write!(out, "{from}-{}", (from + width).min(i128::from(*top)) - 1),
        _ => write!(out, "{from}-{}", from + width - 1),
    }
    .map_err(|_| Failure::limit())?;
    Ok(Value::String(out.into_bump_str()))
}
