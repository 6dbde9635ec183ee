//! A square root with a stated number of places.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SQRT: Function = Function {
    spec: Spec {
        name: "sqrt",
        aliases: &[],
        about: "The square root with so many places behind the point; ties are rounded away from zero unless another rounding is named.",
        parameters: &[
            Parameter::new("x", Kinds::DECIMAL, "The number."),
            Parameter::new("places", Kinds::INT, "Digits behind the point, 0 to 28."),
            Parameter::new("rounding", Kinds::TEXT, "half_up, half_even, half_down, up, down, ceiling or floor.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"sqrt(2, 10)"#, r#"1.4142135624"#),
            Example::ok(r#"sqrt(2, 2, "up")"#, r#"1.42"#),
            Example::fails(r#"sqrt(-1, 2)"#, r#"negative"#),
            Example::fails(r#"sqrt(2, 28)"#, r#"28 digits"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(number), Value::Int(places), rest @ ..] = arguments else { return Err(super::misuse()) };
    let rounding = super::rounding_of(call, rest.first())?;
    Ok(Value::Decimal(number.sqrt(super::places(*places)?, rounding)?))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_rounding(constants, 2)
}
