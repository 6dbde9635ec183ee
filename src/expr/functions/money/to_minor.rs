//! An amount in minor units.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TO_MINOR: Function = Function {
    spec: Spec {
        name: "to_minor",
        aliases: &[],
        about: "The amount in the minor unit of its currency (cents), as payment services want it; a fraction of that unit is an error.",
        parameters: &[
            Parameter::new("amount", Kinds::DECIMAL, "The amount."),
            Parameter::new("currency", Kinds::TEXT, "Its code of ISO 4217, such as `EUR`."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"to_minor(12.34, "EUR")"#, r#"1234"#),
            Example::ok(r#"to_minor(500, "JPY")"#, r#"500"#),
            Example::ok(r#"to_minor(1.5, "KWD")"#, r#"1500"#),
            Example::fails(r#"to_minor(12.345, "EUR")"#, r#"round_money"#),
            Example::fails(r#"to_minor(1, "XXX")"#, r#"no minor unit"#),
            Example::fails(r#"to_minor(1, "eur")"#, r#"no currency"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(amount), currency] = arguments else { return Err(super::misuse()) };
    let digits = super::minor_of(call, currency)?;
    let exact = amount.normalised();
    if exact.scale() > digits {
        return Err(Failure::number("the amount has a fraction of the minor unit: round it with `round_money` first"));
    }
    let units = exact.round(digits, Rounding::Down)?.mantissa();
    i64::try_from(units).map(Value::Int).map_err(|_| Failure::number("the result is too large for an int"))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_currency(constants, 1)
}
