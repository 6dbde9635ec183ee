//! An amount rounded as its currency is paid.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static ROUND_MONEY: Function = Function {
    spec: Spec {
        name: "round_money",
        aliases: &[],
        about: "Rounds to the minor unit of a currency, ties away from zero unless another rounding is named.",
        parameters: &[
            Parameter::new("amount", Kinds::DECIMAL, "The amount."),
            Parameter::new("currency", Kinds::TEXT, "Its code of ISO 4217, such as `EUR`."),
            Parameter::new("rounding", Kinds::TEXT, "half_up, half_even, half_down, up, down, ceiling or floor.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"round_money(2.345, "EUR")"#, r#"2.35"#),
            Example::ok(r#"round_money(1234.5, "JPY", "half_even")"#, r#"1234"#),
            Example::fails(r#"round_money(1, "EURO")"#, r#"no currency"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(amount), currency, rest @ ..] = arguments else { return Err(super::misuse()) };
    let rounding = if let [Value::String(name)] = rest { super::rounding(name)? } else { Rounding::HalfUp };
    Ok(Value::Decimal(amount.round(super::minor_of(call, currency)?, rounding)?))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    if let Some(Some(Value::String(name))) = constants.get(2) {
        super::rounding(name)?;
    }
    super::prepare_currency(constants, 1)
}
