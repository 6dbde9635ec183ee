//! A number without needless zeros.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TRIM_ZEROS: Function = Function {
    spec: Spec {
        name: "trim_zeros",
        aliases: &[],
        about: "The number without zeros at the end of its fraction.",
        parameters: &[Parameter::new("x", Kinds::DECIMAL, "The number.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"trim_zeros(1.500)"#, r#"1.5"#),
            Example::ok(r#"trim_zeros(100.00)"#, r#"100"#),
            Example::fails(r#"trim_zeros("1.50")"#, r#"wants decimal"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(number)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Decimal(number.normalised()))
}
