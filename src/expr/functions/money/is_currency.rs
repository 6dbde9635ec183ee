//! Whether a text is the code of a currency.

use super::currency;
use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_CURRENCY: Function = Function {
    spec: Spec {
        name: "is_currency",
        aliases: &[],
        about: "Whether a text is the code of a currency of ISO 4217 that is in use.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_currency("EUR")"#, r#"true"#),
            Example::ok(r#"is_currency("DEM")"#, r#"false"#),
            Example::ok(r#"is_currency("HRK")"#, r#"false"#),
            Example::fails(r#"is_currency(978)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(currency::find(text).is_some_and(|found| found.current && found.code == *text)))
}
