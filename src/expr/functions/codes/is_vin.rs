//! Whether a text is a VIN.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_VIN: Function = Function {
    spec: Spec {
        name: "is_vin",
        aliases: &[],
        about: "Whether a text is a vehicle identification number (ISO 3779): 17 characters without I, O and Q; for vehicles of North America, which begin with 1 to 5, the check digit must hold (49 CFR 565.15).",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_vin("1M8GDM9AXKP042788")"#, "true"),
            Example::ok(r#"is_vin("1M8GDM9A1KP042788")"#, "false"),
            Example::ok(r#"is_vin("WVWZZZ1JZXW000001")"#, "true"),
            Example::fails("is_vin(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::vin(text)))
}
