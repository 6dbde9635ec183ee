//! The places of a currency.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MINOR_DIGITS: Function = Function {
    spec: Spec {
        name: "minor_digits",
        aliases: &[],
        about: "How many digits the minor unit of a currency has: 2 where 100 cents are one unit.",
        parameters: &[Parameter::new("currency", Kinds::TEXT, "Its code or number of ISO 4217: `EUR`, `978`.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"minor_digits("EUR")"#, r#"2"#),
            Example::ok(r#"minor_digits("JPY")"#, r#"0"#),
            Example::fails(r#"minor_digits("XAU")"#, r#"no minor unit"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(currency)] = arguments else { return Err(super::misuse()) };
    let found = super::found(currency)?;
    Ok(Value::Int(i64::from(found.minor.ok_or_else(super::no_minor)?)))
}
