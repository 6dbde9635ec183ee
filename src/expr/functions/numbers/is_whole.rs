//! Whether a number has no fraction.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_WHOLE: Function = Function {
    spec: Spec {
        name: "is_whole",
        aliases: &[],
        about: "Whether a number has no fraction: `2.00` has none.",
        parameters: &[Parameter::new("x", Kinds::DECIMAL, "The number.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_whole(2.00)"#, r#"true"#),
            Example::ok(r#"is_whole(2.5)"#, r#"false"#),
            Example::fails(r#"is_whole("2")"#, r#"wants decimal"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(number)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(number.normalised().scale() == 0))
}
