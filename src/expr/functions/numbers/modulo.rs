//! The remainder with the sign of the divisor.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MODULO: Function = Function {
    spec: Spec {
        name: "modulo",
        aliases: &[],
        about: "The remainder of a division, with the sign of the divisor where `%` has that of the dividend: `-1` modulo 7 is 6.",
        parameters: &[
            Parameter::new("a", Kinds::DECIMAL, "The dividend."),
            Parameter::new("b", Kinds::DECIMAL, "The divisor."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"modulo(-1, 7)"#, r#"6"#),
            Example::ok(r#"modulo(7.5, 2)"#, r#"1.5"#),
            Example::fails(r#"modulo(1, 0)"#, r#"division by zero"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(a), Value::Decimal(b)] = arguments else { return Err(super::misuse()) };
    let rest = a.rem(*b)?;
    let opposite = rest.mantissa().signum() * b.mantissa().signum() < 0;
    Ok(Value::Decimal(if opposite { rest.add(*b)? } else { rest }))
}
