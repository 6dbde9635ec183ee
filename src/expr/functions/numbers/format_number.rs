//! A number as people write it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FORMAT_NUMBER: Function = Function {
    spec: Spec {
        name: "format_number",
        aliases: &[],
        about: "Writes a number with so many places, ties rounded away from zero, and marks between thousands.",
        parameters: &[Parameter::new("x", Kinds::DECIMAL, "The number."), Parameter::new("places", Kinds::INT, "Digits behind the point, 0 to 28."), Parameter::new("style", Kinds::TEXT, "How it is written: a language such as `de` or `en`, or the marks themselves, such as `,.`; `en` if not said.").optional()],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"format_number(1234567.891, 2, "de")"#, r#"1.234.567,89"#),
            Example::ok(r#"(-1234.5).format_number(0)"#, r#"-1,235"#),
            Example::ok(r#"format_number(1234567, 0, "in")"#, r#"12,34,567"#),
            Example::fails(r#"format_number(1, 2, "xx")"#, r#"no style"#),
            Example::fails(r#"format_number(1, 29)"#, r#"28 digits"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(number), Value::Int(places), rest @ ..] = arguments else { return Err(super::misuse()) };
    let style = super::style_of(call, rest.first(), "en")?;
    let number = number.round(super::places(*places)?, Rounding::HalfUp)?;
    // At most 29 digits with the zero in front, as many marks of up to 4 bytes, and a sign.
    let mut out = call.text(160)?;
    style.write(number, |character| out.push(character));
    Ok(Value::String(out.into_bump_str()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_style(constants, 2)
}
