//! The nearest whole number below.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;
use crate::record::decimal::Rounding;

pub(in crate::expr::functions) static FLOOR: Function = Function {
    spec: Spec {
        name: "floor",
        aliases: &["math.floor"],
        about: "The nearest whole number that is not larger.",
        parameters: &[Parameter::new("x", Kinds::NUMBER, "The number.")],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"floor(-1.2)"#, r#"-2"#), Example::fails(r#"floor("1")"#, r#"wants number"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match arguments {
        [Value::Int(_) | Value::Uint(_)] if !call.cel => arguments[0],
        [Value::Decimal(number)] => Value::Decimal(number.round(0, Rounding::Floor)?),
        [Value::Double(number)] => Value::Double(number.floor()),
        _ => return Err(super::misuse()),
    })
}
