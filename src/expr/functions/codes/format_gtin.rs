//! A GTIN of 14 digits.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FORMAT_GTIN: Function = Function {
    spec: Spec {
        name: "format_gtin",
        aliases: &[],
        about: "A trade item number filled up to 14 digits, the form in which EAN and UPC numbers compare.",
        parameters: &[Parameter::new(
            "text",
            Kinds::TEXT,
            "A GTIN of 8, 12, 13 or 14 digits; its check digit must hold.",
        )],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"format_gtin("036000291452")"#, "00036000291452"),
            Example::fails(r#"format_gtin("036000291453")"#, "no GTIN"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    if !checks::gtin(text) {
        return Err(Failure::value("the text is no GTIN whose check digit holds"));
    }
    let mut out = call.text(14)?;
    (text.len()..14).for_each(|_| out.push('0'));
    out.push_str(text);
    Ok(Value::String(out.into_bump_str()))
}
