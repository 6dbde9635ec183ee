//! Whether a text is an LEI.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_LEI: Function = Function {
    spec: Spec {
        name: "is_lei",
        aliases: &[],
        about: "Whether a text is a legal entity identifier (ISO 17442): 20 characters whose check digits hold.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_lei("54930084UKLVMY22DS16")"#, "true"),
            Example::ok(r#"is_lei("54930084UKLVMY22DS17")"#, "false"),
            Example::fails("is_lei(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::lei(text)))
}
