//! The code of a currency.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CURRENCY_CODE: Function = Function {
    spec: Spec {
        name: "currency_code",
        aliases: &[],
        about: "The three letters of a currency, also from its number.",
        parameters: &[Parameter::new("currency", Kinds::TEXT, "Its code or number of ISO 4217: `EUR`, `978`.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"currency_code("978")"#, r#"EUR"#),
            Example::fails(r#"currency_code("000")"#, r#"no currency"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(currency)] = arguments else { return Err(super::misuse()) };
    let found = super::found(currency)?;
    Ok(Value::String(found.code))
}
