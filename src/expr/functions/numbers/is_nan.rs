//! Whether a double is no number.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_NAN: Function = Function {
    spec: Spec {
        name: "is_nan",
        aliases: &["math.isNaN"],
        about: "Whether a double is no number.",
        parameters: &[Parameter::new("x", Kinds::DOUBLE, "The number.")],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_nan(double("NaN"))"#, r#"true"#),
            Example::fails(r#"is_nan("1")"#, r#"wants double"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Double(number)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(number.is_nan()))
}
