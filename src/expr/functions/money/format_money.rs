//! An amount as people write it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FORMAT_MONEY: Function = Function {
    spec: Spec {
        name: "format_money",
        aliases: &[],
        about: "Writes an amount with the places of its currency and the code, in front or, in styles with a decimal comma, behind.",
        parameters: &[Parameter::new("amount", Kinds::DECIMAL, "The amount."), Parameter::new("currency", Kinds::TEXT, "Its code of ISO 4217, such as `EUR`."), Parameter::new("style", Kinds::TEXT, "How it is written: a language such as `de` or `en`, or the marks themselves, such as `,.`; `en` if not said.").optional()],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"format_money(1234.5, "EUR", "de")"#, r#"1.234,50 EUR"#),
            Example::ok(r#"format_money(-1234.5, "JPY")"#, r#"JPY -1,235"#),
            Example::fails(r#"format_money(1, "EUR", "xx")"#, r#"no style"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(amount), currency, rest @ ..] = arguments else { return Err(super::misuse()) };
    let (digits, code) = super::known(call, currency)?;
    let digits = digits.ok_or_else(super::no_minor)?;
    let style = if let [Value::String(name)] = rest { super::style_named(name)? } else { super::style_named("en")? };
    let amount = amount.round(digits, Rounding::HalfUp)?;
    let mut out = call.text(168)?;
    if !style.has_comma() {
        out.push_str(code);
        out.push('\u{a0}');
    }
    style.write(amount, |character| out.push(character));
    if style.has_comma() {
        out.push('\u{a0}');
        out.push_str(code);
    }
    Ok(Value::String(out.into_bump_str()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    if let Some(Some(Value::String(name))) = constants.get(2) {
        super::style_named(name)?;
    }
    super::prepare_currency(constants, 1)
}
