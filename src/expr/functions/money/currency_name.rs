//! The name of a currency.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static CURRENCY_NAME: Function = Function {
    spec: Spec {
        name: "currency_name",
        aliases: &[],
        about: "The English name of a currency, withdrawn ones too.",
        parameters: &[Parameter::new("currency", Kinds::TEXT, "Its code or number of ISO 4217: `EUR`, `978`.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"currency_name("CHF")"#, r#"Swiss Franc"#),
            Example::fails(r#"currency_name("ABC")"#, r#"no currency"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(currency)] = arguments else { return Err(super::misuse()) };
    let found = super::found(currency)?;
    Ok(Value::String(found.name))
}
