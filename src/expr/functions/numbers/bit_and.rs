//! The bits that both integers have.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static BIT_AND: Function = Function {
    spec: Spec {
        name: "bit_and",
        aliases: &["math.bitAnd"],
        about: "The bits that both integers have.",
        parameters: &[
            Parameter::new("a", Kinds::INT.or(Kinds::UINT), "An integer."),
            Parameter::new("b", Kinds::INT.or(Kinds::UINT), "Another of the same type."),
        ],
        variadic: false,
        method: false,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"bit_and(6, 5)"#, r#"4"#), Example::fails(r#"bit_and(6, 5u)"#, r#"matching"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => Ok(Value::Int(a & b)),
        [Value::Uint(a), Value::Uint(b)] => Ok(Value::Uint(a & b)),
        _ => Err(super::misuse()),
    }
}
