//! Whether a text is a routing number of a US bank.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_ABA: Function = Function {
    spec: Spec {
        name: "is_aba",
        aliases: &[],
        about: "Whether a text is an ABA routing number: 9 digits in a range that is given out, whose check digit holds.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_aba("111000025")"#, "true"),
            Example::ok(r#"is_aba("111000024")"#, "false"),
            Example::fails("is_aba(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::aba(text)))
}
