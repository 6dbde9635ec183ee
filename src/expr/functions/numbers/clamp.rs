//! A number kept between two others.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CLAMP: Function = Function {
    spec: Spec {
        name: "clamp",
        aliases: &[],
        about: "The number, or the bound that it lies outside of.",
        parameters: &[
            Parameter::new("x", Kinds::DECIMAL, "The number."),
            Parameter::new("low", Kinds::DECIMAL, "The least it may be."),
            Parameter::new("high", Kinds::DECIMAL, "The most it may be."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"clamp(120, 0, 100)"#, r#"100"#),
            Example::ok(r#"clamp(-0.5, 0, 100)"#, r#"0"#),
            Example::fails(r#"clamp(1, 5, 2)"#, r#"above"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(number), Value::Decimal(low), Value::Decimal(high)] = arguments else {
        return Err(super::misuse());
    };
    if low > high {
        return Err(Failure::value("the low bound is above the high one"));
    }
    Ok(Value::Decimal((*number).max(*low).min(*high)))
}
