//! Whether a text is an NPI.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_NPI: Function = Function {
    spec: Spec {
        name: "is_npi",
        aliases: &[],
        about: "Whether a text is a US National Provider Identifier: 10 digits that begin with 1 or 2 and whose check digit holds (45 CFR 162.406).",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_npi("1234567893")"#, "true"),
            Example::ok(r#"is_npi("1234567890")"#, "false"),
            Example::fails("is_npi(1234567893)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::npi(text)))
}
