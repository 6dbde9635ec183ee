//! Whether a check digit of Luhn holds.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_LUHN: Function = Function {
    spec: Spec {
        name: "is_luhn",
        aliases: &[],
        about: "Whether the last of at least two digits is the check digit of the others (Luhn, ISO/IEC 7812-1); spaces and hyphens are passed over.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_luhn("4111 1111 1111 1111")"#, "true"),
            Example::ok(r#"is_luhn("79927398710")"#, "false"),
            Example::fails("is_luhn(4111)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::luhn(text)))
}
