//! Whether a text is a GTIN.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_GTIN: Function = Function {
    spec: Spec {
        name: "is_gtin",
        aliases: &[],
        about: "Whether a text is a trade item number (GTIN: EAN-8, UPC-A, EAN-13 or 14 digits) whose check digit holds (GS1).",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_gtin("6291041500213")"#, "true"),
            Example::ok(r#"is_gtin("036000291452")"#, "true"),
            Example::ok(r#"is_gtin("6291041500210")"#, "false"),
            Example::fails("is_gtin(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::gtin(text)))
}
