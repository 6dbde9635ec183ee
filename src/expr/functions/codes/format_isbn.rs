//! An ISBN of 13 digits.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FORMAT_ISBN: Function = Function {
    spec: Spec {
        name: "format_isbn",
        aliases: &[],
        about: "A book number as 13 digits without hyphens; one of 10 digits becomes one of 13 (ISO 2108).",
        parameters: &[Parameter::new("text", Kinds::TEXT, "An ISBN; its check digit must hold.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"format_isbn("0-306-40615-2")"#, "9780306406157"),
            Example::fails(r#"format_isbn("978-0-306-40615-8")"#, "no ISBN"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    if !checks::isbn(text) {
        return Err(Failure::value("the text is no ISBN whose check digit holds"));
    }
    let mut out = call.text(13)?;
    let plain = text.chars().filter(char::is_ascii_digit);
    match checks::digits(text) {
        Some(digits) if digits.len() == 13 => out.extend(plain),
        _ => {
            out.push_str("978");
            out.extend(plain.take(9));
            let check = checks::digits(&out).map_or(0, |digits| checks::gs1_digit(&digits));
            out.push(char::from(b'0' + check));
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
