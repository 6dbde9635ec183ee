//! A number raised to a whole power.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static POWER: Function = Function {
    spec: Spec {
        name: "power",
        aliases: &[],
        about: "The exact power of a number; a negative exponent divides one by it.",
        parameters: &[
            Parameter::new("x", Kinds::DECIMAL, "The number."),
            Parameter::new("exponent", Kinds::INT, "How often it is multiplied by itself."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"power(1.05, 3)"#, r#"1.157625"#),
            Example::ok(r#"power(2, -3)"#, r#"0.125"#),
            Example::ok(r#"power(0, 0)"#, r#"1"#),
            Example::fails(r#"power(10, 28)"#, r#"28 digits"#),
            Example::fails(r#"power(3, -1)"#, r#"no end"#),
            Example::fails(r#"power(0, -1)"#, r#"division by zero"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(number), Value::Int(exponent)] = arguments else { return Err(super::misuse()) };
    let mut rest = exponent.unsigned_abs();
    let (mut square, mut product) = (number.normalised(), Decimal::from_i64(1));
    while rest > 0 {
        if rest % 2 == 1 {
            product = product.mul(square)?;
        }
        rest /= 2;
        if rest > 0 {
            square = square.mul(square)?;
        }
    }
    Ok(Value::Decimal(if *exponent < 0 { Decimal::from_i64(1).div_exact(product)? } else { product }))
}
