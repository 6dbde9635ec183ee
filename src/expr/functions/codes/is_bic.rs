//! Whether a text has the form of a BIC.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_BIC: Function = Function {
    spec: Spec {
        name: "is_bic",
        aliases: &[],
        about: "Whether a text has the form of a BIC (ISO 9362): 8 or 11 characters, a known country in them. Whether a bank has it is not asked.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_bic("DEUTDEFF500")"#, "true"),
            Example::ok(r#"is_bic("DEUTXXFF")"#, "false"),
            Example::fails("is_bic(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::bic(text)))
}
