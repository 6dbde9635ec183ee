//! Division with a stated number of places.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static DIV: Function = Function {
    spec: Spec {
        name: "div",
        aliases: &[],
        about: "Divides and keeps so many places behind the point; ties are rounded away from zero unless another rounding is named.",
        parameters: &[
            Parameter::new("a", Kinds::DECIMAL, "The dividend."),
            Parameter::new("b", Kinds::DECIMAL, "The divisor."),
            Parameter::new("scale", Kinds::INT, "Digits behind the point, 0 to 28."),
            Parameter::new("rounding", Kinds::TEXT, "half_up, half_even, half_down, up, down, ceiling or floor.")
                .optional(),
        ],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"div(1, 3, 4)"#, r#"0.3333"#),
            Example::ok(r#"div(2, 3, 2, "down")"#, r#"0.66"#),
            Example::fails(r#"div(1, 0, 2)"#, r#"division by zero"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let rounding = match (call.prepared, arguments.get(3)) {
        (Prepared::Rounding(rounding), _) => *rounding,
        (_, Some(Value::String(name))) => super::rounding(name)?,
        _ => Rounding::HalfUp,
    };
    match arguments {
        [Value::Decimal(a), Value::Decimal(b), Value::Int(scale), ..] => {
            let scale = u32::try_from(*scale).map_err(|_| Failure::value("the scale is 0 to 28"))?;
            Ok(Value::Decimal(a.div(*b, scale, rounding)?))
        }
        _ => Err(super::misuse()),
    }
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(3) {
        Some(Some(Value::String(name))) => super::rounding(name).map(Prepared::Rounding),
        Some(None) => Ok(Prepared::None),
        _ => Ok(Prepared::Rounding(Rounding::HalfUp)),
    }
}
