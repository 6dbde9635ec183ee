//! A number without what stands behind its point.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;
use crate::record::decimal::Rounding;

pub(in crate::expr::functions) static TRUNC: Function = Function {
    spec: Spec {
        name: "trunc",
        aliases: &["math.trunc"],
        about: "The number without what stands behind its point.",
        parameters: &[Parameter::new("x", Kinds::NUMBER, "The number.")],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"trunc(-1.9)"#, r#"-1"#), Example::fails(r#"trunc("1")"#, r#"wants number"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Int(_) | Value::Uint(_)] if !call.cel => Ok(arguments[0]),
        [Value::Decimal(number)] => Ok(Value::Decimal(number.round(0, Rounding::Down)?)),
        [Value::Double(number)] => Ok(Value::Double(number.trunc())),
        _ => Err(super::misuse()),
    }
}
