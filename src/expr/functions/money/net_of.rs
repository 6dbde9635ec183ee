//! An amount without the tax in it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static NET_OF: Function = Function {
    spec: Spec {
        name: "net_of",
        aliases: &[],
        about: "The net amount in a gross one that holds so many percent of tax on the net, rounded to the minor unit, ties away from zero.",
        parameters: &[
            Parameter::new("gross", Kinds::DECIMAL, "The gross amount."),
            Parameter::new("rate", Kinds::DECIMAL, "The tax in percent."),
            Parameter::new("currency", Kinds::TEXT, "Its code of ISO 4217, such as `EUR`."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"net_of(119.00, 19, "EUR")"#, r#"100.00"#),
            Example::fails(r#"net_of(1, -100, "EUR")"#, r#"above -100"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(gross), Value::Decimal(rate), currency] = arguments else { return Err(super::misuse()) };
    let hundred = Decimal::from_i64(100);
    let whole = rate.add(hundred)?;
    if whole.mantissa() <= 0 {
        return Err(Failure::value("the rate is above -100"));
    }
    Ok(Value::Decimal(gross.mul(hundred)?.div(whole, super::minor_of(call, currency)?, Rounding::HalfUp)?))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_currency(constants, 2)
}
