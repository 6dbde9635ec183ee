//! So many percent of a number.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static PERCENT_OF: Function = Function {
    spec: Spec {
        name: "percent_of",
        aliases: &[],
        about: "So many percent of a number, exactly: round it where you need fewer places.",
        parameters: &[
            Parameter::new("rate", Kinds::DECIMAL, "The percentage."),
            Parameter::new("x", Kinds::DECIMAL, "The number."),
        ],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"percent_of(19, 249.90)"#, r#"47.4810"#),
            Example::fails(r#"percent_of("19", 1)"#, r#"wants decimal"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(rate), Value::Decimal(number)] = arguments else { return Err(super::misuse()) };
    let hundredth = Decimal::new(1, 2)?;
    Ok(Value::Decimal(rate.mul(*number)?.mul(hundredth)?))
}
