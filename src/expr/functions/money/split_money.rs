//! An amount in equal parts.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static SPLIT_MONEY: Function = Function {
    spec: Spec {
        name: "split_money",
        aliases: &[],
        about: "Splits an amount into so many parts that differ by one minor unit at most and add up to it exactly; the larger ones come first.",
        parameters: &[
            Parameter::new("amount", Kinds::DECIMAL, "The amount."),
            Parameter::new("parts", Kinds::INT, "How many parts, 1 to 10,000."),
            Parameter::new("currency", Kinds::TEXT, "Its code of ISO 4217, such as `EUR`."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("list(decimal)", |_| Type::List(Box::new(Type::Decimal))),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"split_money(100, 3, "EUR")"#, r#"[33.34,33.33,33.33]"#),
            Example::ok(r#"split_money(-0.05, 2, "EUR")"#, r#"[-0.03,-0.02]"#),
            Example::fails(r#"split_money(1, 0, "EUR")"#, r#"1 to 10,000"#),
            Example::fails(r#"split_money(1.001, 2, "EUR")"#, r#"round_money"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(amount), Value::Int(parts), currency] = arguments else { return Err(super::misuse()) };
    if !(1..=10_000).contains(parts) {
        return Err(Failure::value("the parts are 1 to 10,000"));
    }
    let (units, digits) = super::units_of(call, *amount, currency)?;
    let (each, rest) = (units / i128::from(*parts), units % i128::from(*parts));
    let mut list = call.list(usize::try_from(*parts).unwrap_or(0))?;
    for index in 0..i128::from(*parts) {
        let more = if index < rest.abs() { rest.signum() } else { 0 };
        list.push(Value::Decimal(Decimal::new(each + more, digits)?));
    }
    Ok(Value::List(list.into_bump_slice()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_currency(constants, 2)
}
