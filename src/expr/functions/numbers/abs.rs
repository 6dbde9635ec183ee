//! The number without its sign.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static ABS: Function = Function {
    spec: Spec {
        name: "abs",
        aliases: &["math.abs"],
        about: "The number without its sign.",
        parameters: &[Parameter::new("x", Kinds::NUMBER, "The number.")],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"abs(-1.50)"#, r#"1.50"#), Example::fails(r#"abs("1")"#, r#"wants number"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match arguments {
        [Value::Int(number)] => match number.checked_abs() {
            Some(number) => Value::Int(number),
            None => return Err(Failure::number("the result overflows an int")),
        },
        [Value::Uint(number)] => Value::Uint(*number),
        [Value::Decimal(number)] => Value::Decimal(number.abs()),
        [Value::Double(number)] => Value::Double(number.abs()),
        _ => return Err(super::misuse()),
    })
}
