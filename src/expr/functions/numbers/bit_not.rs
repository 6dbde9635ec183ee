//! An integer with every bit turned.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static BIT_NOT: Function = Function {
    spec: Spec {
        name: "bit_not",
        aliases: &["math.bitNot"],
        about: "The integer with every bit turned.",
        parameters: &[Parameter::new("a", Kinds::INT.or(Kinds::UINT), "An integer.")],
        variadic: false,
        method: false,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"bit_not(1)"#, r#"-2"#), Example::fails(r#"bit_not("1")"#, r#"wants int or uint"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::Int(a)] => Ok(Value::Int(!a)),
        [Value::Uint(a)] => Ok(Value::Uint(!a)),
        _ => Err(super::misuse()),
    }
}
