//! A postal code as its country writes it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::postal;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static NORMALIZE_POSTAL_CODE: Function = Function {
    spec: Spec {
        name: "normalize_postal_code",
        aliases: &[],
        about: "A postal code in capitals with spaces and hyphens where its country has them. What has not the form is an error.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The code."),
            Parameter::new("country", Kinds::TEXT, "A code or name as in `country`."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"normalize_postal_code("sw1a1aa", "GB")"#, "SW1A 1AA"),
            Example::ok(r#"normalize_postal_code("1012ab", "NL")"#, "1012 AB"),
            Example::ok(r#"normalize_postal_code("902101234", "US")"#, "90210-1234"),
            Example::ok(r#"normalize_postal_code("D-10115", "DE")"#, "10115"),
            Example::fails(r#"normalize_postal_code("1011", "DE")"#, "no postal code"),
        ],
    },
    prepare: Some(postal::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(country)] = arguments else { return Err(super::misuse()) };
    match postal::code(text, country, call)? {
        Some(code) => Ok(Value::String(code)),
        None => Err(Failure::value("the text is no postal code of that country")),
    }
}
