//! Whether a double is neither infinite nor NaN.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_FINITE: Function = Function {
    spec: Spec {
        name: "is_finite",
        aliases: &["math.isFinite"],
        about: "Whether a double is neither infinite nor NaN.",
        parameters: &[Parameter::new("x", Kinds::DOUBLE, "The number.")],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_finite(double("1.5"))"#, r#"true"#),
            Example::fails(r#"is_finite("1")"#, r#"wants double"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Double(number)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(number.is_finite()))
}
