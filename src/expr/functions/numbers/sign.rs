//! The sign of a number.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Value};

pub(in crate::expr::functions) static SIGN: Function = Function {
    spec: Spec {
        name: "sign",
        aliases: &["math.sign"],
        about: "-1, 0 or 1, in the type of the number.",
        parameters: &[Parameter::new("x", Kinds::NUMBER, "The number.")],
        variadic: false,
        method: true,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"sign(-2.50)"#, r#"-1"#), Example::fails(r#"sign("1")"#, r#"wants number"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match arguments {
        [Value::Int(number)] => Value::Int(number.signum()),
        [Value::Uint(number)] => Value::Uint((*number).min(1)),
        [Value::Decimal(number)] => Value::Decimal(Decimal::from_i64(number.mantissa().signum() as i64)),
        [Value::Double(number)] if *number == 0.0 || number.is_nan() => Value::Double(*number),
        [Value::Double(number)] => Value::Double(number.signum()),
        _ => return Err(super::misuse()),
    })
}
