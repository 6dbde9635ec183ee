//! A number rounded to a step.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static ROUND_TO: Function = Function {
    spec: Spec {
        name: "round_to",
        aliases: &[],
        about: "The nearest multiple of a step, such as `0.05` for cash in francs; ties are rounded away from zero unless another rounding is named.",
        parameters: &[
            Parameter::new("x", Kinds::DECIMAL, "The number."),
            Parameter::new("step", Kinds::DECIMAL, "The step, above zero."),
            Parameter::new("rounding", Kinds::TEXT, "half_up, half_even, half_down, up, down, ceiling or floor.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"round_to(7.43, 0.05)"#, r#"7.45"#),
            Example::ok(r#"round_to(17, 5, "up")"#, r#"20"#),
            Example::fails(r#"round_to(1, 0)"#, r#"above zero"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(number), Value::Decimal(step), rest @ ..] = arguments else { return Err(super::misuse()) };
    let rounding = super::rounding_of(call, rest.first())?;
    if step.mantissa() <= 0 {
        return Err(Failure::value("the step is above zero"));
    }
    Ok(Value::Decimal(number.div(*step, 0, rounding)?.mul(*step)?))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_rounding(constants, 2)
}
