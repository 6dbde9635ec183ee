//! Whether a text is an IBAN.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_IBAN: Function = Function {
    spec: Spec {
        name: "is_iban",
        aliases: &[],
        about: "Whether a text is an IBAN (ISO 13616): the length of its country in the SWIFT registry and the check digits hold; spaces are passed over.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_iban("GB29 NWBK 6016 1331 9268 19")"#, "true"),
            Example::ok(r#"is_iban("DE89370400440532013001")"#, "false"),
            Example::fails("is_iban(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::iban(text)))
}
