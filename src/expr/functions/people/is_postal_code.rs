//! Whether a text is a postal code of a country.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::postal;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_POSTAL_CODE: Function = Function {
    spec: Spec {
        name: "is_postal_code",
        aliases: &[],
        about: "Whether a text has the form of a postal code of its country; for countries whose form is not known, whether it has 2 to 10 letters and digits.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("country", Kinds::TEXT, "A code or name as in `country`."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_postal_code("10115", "DE")"#, "true"),
            Example::ok(r#"is_postal_code("1011", "DE")"#, "false"),
            Example::ok(r#"is_postal_code("sw1a 1aa", "GB")"#, "true"),
            Example::fails(r#"is_postal_code("1", "Atlantis")"#, "no country"),
        ],
    },
    prepare: Some(postal::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(country)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(postal::code(text, country, call)?.is_some()))
}
