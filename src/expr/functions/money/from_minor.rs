//! An amount from minor units.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static FROM_MINOR: Function = Function {
    spec: Spec {
        name: "from_minor",
        aliases: &[],
        about: "The amount that so many minor units (cents) of a currency are.",
        parameters: &[
            Parameter::new("units", Kinds::INT, "How many minor units."),
            Parameter::new("currency", Kinds::TEXT, "Its code of ISO 4217, such as `EUR`."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"from_minor(1234, "EUR")"#, r#"12.34"#),
            Example::ok(r#"from_minor(500, "JPY")"#, r#"500"#),
            Example::fails(r#"from_minor(1.5, "EUR")"#, r#"whole number"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Int(units), currency] = arguments else { return Err(super::misuse()) };
    Ok(Value::Decimal(Decimal::new(i128::from(*units), super::minor_of(call, currency)?)?))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_currency(constants, 1)
}
