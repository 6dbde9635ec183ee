//! Whether a text is an ISIN.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_ISIN: Function = Function {
    spec: Spec {
        name: "is_isin",
        aliases: &[],
        about: "Whether a text is a securities number (ISO 6166): 12 characters whose check digit holds.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_isin("US0378331005")"#, "true"),
            Example::ok(r#"is_isin("US0378331006")"#, "false"),
            Example::fails("is_isin(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::isin(text)))
}
