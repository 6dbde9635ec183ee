//! Whether a double is infinite.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_INF: Function = Function {
    spec: Spec {
        name: "is_inf",
        aliases: &["math.isInf"],
        about: "Whether a double is infinite.",
        parameters: &[Parameter::new("x", Kinds::DOUBLE, "The number.")],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_inf(double("-Infinity"))"#, r#"true"#),
            Example::fails(r#"is_inf("1")"#, r#"wants double"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Double(number)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(number.is_infinite()))
}
