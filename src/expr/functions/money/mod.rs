//! Money: amounts by the rules of their currency.

mod allocate_money;
mod convert_money;
mod currency_code;
mod currency_name;
mod currency_number;
mod format_money;
mod from_minor;
mod is_currency;
mod minor_digits;
mod net_of;
mod round_money;
mod split_money;
mod to_minor;

use super::{
    Call, Example, Failure, Flow, Function, Group, Kinds, Outcome, Parameter, Prepared, Returns, Spec, made, misuse,
    operators, rounding, style_named,
};
use crate::expr::currency::{self, Currency};
use crate::record::{Decimal, Value};

/// Money.
pub(super) static GROUP: Group = Group {
    name: "Money",
    about: "Amounts by the rules of their currency: ISO 4217 as of January 2026.",
    functions: &[
        &allocate_money::ALLOCATE_MONEY,
        &convert_money::CONVERT_MONEY,
        &currency_code::CURRENCY_CODE,
        &currency_name::CURRENCY_NAME,
        &currency_number::CURRENCY_NUMBER,
        &format_money::FORMAT_MONEY,
        &from_minor::FROM_MINOR,
        &is_currency::IS_CURRENCY,
        &minor_digits::MINOR_DIGITS,
        &net_of::NET_OF,
        &round_money::ROUND_MONEY,
        &split_money::SPLIT_MONEY,
        &to_minor::TO_MINOR,
    ],
};

fn found(code: &str) -> Result<&'static Currency, Failure> {
    currency::find(code).ok_or_else(|| {
        Failure::value("no currency of that code: ISO 4217 has three capital letters such as `EUR`, or three digits")
    })
}

#[cold]
fn no_minor() -> Failure {
    Failure::value("the currency has no minor unit")
}

/// Minor unit and code of the currency that an argument names.
fn known(call: &Call<'_, '_>, argument: &Value<'_>) -> Result<(Option<u32>, &'static str), Failure> {
    let found = match (made::<&'static Currency>(call.prepared), argument) {
        (Some(found), _) => found,
        (None, Value::String(code)) => found(code)?,
        _ => return Err(misuse()),
    };
    Ok((found.minor, found.code))
}

/// Digits of the minor unit of the currency that an argument names.
fn minor_of(call: &Call<'_, '_>, argument: &Value<'_>) -> Result<u32, Failure> {
    known(call, argument)?.0.ok_or_else(no_minor)
}

/// The amount in minor units, and how many digits those have.
fn units_of(call: &Call<'_, '_>, amount: Decimal, currency: &Value<'_>) -> Result<(i128, u32), Failure> {
    let digits = minor_of(call, currency)?;
    let exact = amount.normalised();
    if exact.scale() > digits {
        return Err(Failure::number("the amount has a fraction of the minor unit: round it with `round_money` first"));
    }
    Ok((exact.round(digits, crate::record::decimal::Rounding::Down)?.mantissa(), digits))
}

fn prepare_currency(constants: &[Option<Value<'_>>], index: usize) -> Result<Prepared, Failure> {
    match constants.get(index) {
        Some(Some(Value::String(code))) => Ok(Prepared::Made(Box::new(found(code)?))),
        _ => Ok(Prepared::None),
    }
}
