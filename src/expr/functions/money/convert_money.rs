//! An amount in another currency.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CONVERT_MONEY: Function = Function {
    spec: Spec {
        name: "convert_money",
        aliases: &[],
        about: "Multiplies by a rate and rounds to the minor unit of the currency it is converted to, ties away from zero unless another rounding is named.",
        parameters: &[
            Parameter::new("amount", Kinds::DECIMAL, "The amount."),
            Parameter::new("rate", Kinds::DECIMAL, "How many units of the other currency one unit is."),
            Parameter::new("currency", Kinds::TEXT, "The code of the other currency, such as `USD`."),
            Parameter::new("rounding", Kinds::TEXT, "half_up, half_even, half_down, up, down, ceiling or floor.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"convert_money(100.00, 1.0873, "USD")"#, r#"108.73"#),
            Example::ok(r#"convert_money(9.99, 163.451, "JPY")"#, r#"1633"#),
            Example::fails(r#"convert_money(1, 1, "??")"#, r#"no currency"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(amount), Value::Decimal(rate), currency, rest @ ..] = arguments else {
        return Err(super::misuse());
    };
    let rounding = if let [Value::String(name)] = rest { super::rounding(name)? } else { Rounding::HalfUp };
    Ok(Value::Decimal(amount.mul(*rate)?.round(super::minor_of(call, currency)?, rounding)?))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    if let Some(Some(Value::String(name))) = constants.get(3) {
        super::rounding(name)?;
    }
    super::prepare_currency(constants, 2)
}
