//! An amount shared out by weights.

use super::operators;
use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static ALLOCATE_MONEY: Function = Function {
    spec: Spec {
        name: "allocate_money",
        aliases: &[],
        about: "Shares an amount out by weights, in parts that add up to it exactly: what rounding leaves goes to the parts that lost most by it, the first of them first.",
        parameters: &[
            Parameter::new("amount", Kinds::DECIMAL, "The amount."),
            Parameter::new("weights", Kinds::LIST, "Numbers, 0 or more, at most 10,000 of them."),
            Parameter::new("currency", Kinds::TEXT, "Its code of ISO 4217, such as `EUR`."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("list(decimal)", |_| Type::List(Box::new(Type::Decimal))),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"allocate_money(100, [1, 1, 1], "EUR")"#, r#"[33.34,33.33,33.33]"#),
            Example::ok(r#"allocate_money(10, [70, 20, 10], "EUR")"#, r#"[7.00,2.00,1.00]"#),
            Example::fails(r#"allocate_money(1, [], "EUR")"#, r#"above zero"#),
            Example::fails(r#"allocate_money(1, [1, -1], "EUR")"#, r#"0 or more"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(amount), Value::List(weights), currency] = arguments else { return Err(super::misuse()) };
    if weights.len() > 10_000 {
        return Err(Failure::limit());
    }
    let (units, digits) = super::units_of(call, *amount, currency)?;
    let total_units = Decimal::new(units.abs(), 0)?;
    let mut shares = Vec::with_capacity(weights.len());
    let mut sum = Decimal::ZERO;
    for weight in *weights {
        let weight = match operators::number(weight) {
            Some(Ok(operators::Number::Decimal(weight))) => weight,
            Some(Ok(operators::Number::Int(weight))) => Decimal::from_i64(weight),
            Some(Err(failure)) => return Err(failure),
            _ => {
                return Err(Failure::types(format!(
                    "each weight must be a decimal, and one is {}",
                    weight.type_name()
                )));
            }
        };
        if weight.mantissa() < 0 {
            return Err(Failure::value("weights are 0 or more"));
        }
        sum = sum.add(weight)?;
        shares.push((weight, Decimal::ZERO, Decimal::ZERO));
    }
    if sum.mantissa() == 0 {
        return Err(Failure::value("the weights must add up to a number above zero"));
    }
    let mut left = units.abs();
    for (weight, share, lost) in &mut shares {
        let exact = total_units.mul(*weight)?;
        *share = exact.div(sum, 0, Rounding::Down)?;
        *lost = exact.sub(share.mul(sum)?)?;
        left -= share.mantissa();
    }
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(shares[*index].2));
    for index in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        shares[index].1 = shares[index].1.add(Decimal::from_i64(1))?;
    }
    let mut list = call.list(shares.len())?;
    for (_, share, _) in shares {
        list.push(Value::Decimal(Decimal::new(share.mantissa() * units.signum(), digits)?));
    }
    Ok(Value::List(list.into_bump_slice()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_currency(constants, 2)
}
