//! Rounding to a number of places.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static ROUND: Function = Function {
    spec: Spec {
        name: "round",
        aliases: &["math.round"],
        about: "Rounds to so many places behind the point (0 if not said), ties away from zero unless another rounding is named.",
        parameters: &[
            Parameter::new("x", Kinds::NUMBER, "The number."),
            Parameter::new("places", Kinds::INT, "Digits behind the point, 0 to 28.").optional(),
            Parameter::new("rounding", Kinds::TEXT, "half_up, half_even, half_down, up, down, ceiling or floor.")
                .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Computed("as `x`; a decimal if places are said", kind),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"round(2.345, 2)"#, r#"2.35"#),
            Example::ok(r#"round(2.5, 0, "half_even")"#, r#"2"#),
            Example::ok(r#"round(7, 2)"#, r#"7.00"#),
            Example::fails(r#"round(1.5, 0, "nearest")"#, r#"rounding"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let rounding = match (call.prepared, arguments.get(2)) {
        (Prepared::Rounding(rounding), _) => *rounding,
        (_, Some(Value::String(name))) => super::rounding(name)?,
        _ => Rounding::HalfUp,
    };
    let places = match arguments.get(1) {
        Some(Value::Int(places)) => u32::try_from(*places).map_err(|_| Failure::value("places are 0 to 28"))?,
        _ => 0,
    };
    match arguments.first() {
        Some(Value::Decimal(number)) => Ok(Value::Decimal(number.round(places, rounding)?)),
        Some(Value::Int(_) | Value::Uint(_)) if call.cel => Err(super::misuse()),
        Some(Value::Int(number)) if places == 0 => Ok(Value::Int(*number)),
        Some(Value::Int(number)) => Ok(Value::Decimal(Decimal::from_i64(*number).round(places, rounding)?)),
        Some(Value::Uint(number)) if arguments.len() == 1 => Ok(Value::Uint(*number)),
        Some(Value::Uint(number)) => Ok(Value::Decimal(Decimal::from_u64(*number).round(places, rounding)?)),
        Some(Value::Double(number)) if places == 0 => Ok(Value::Double(number.round())),
        Some(Value::Double(_)) => Err(Failure::types("a double has no exact places: write `decimal(x)` first")),
        _ => Err(super::misuse()),
    }
}

fn kind(arguments: &[Type]) -> Type {
    match arguments {
        [Type::Int | Type::Uint, _, ..] => Type::Decimal,
        [first, ..] => first.clone(),
        [] => Type::Dyn,
    }
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(2) {
        Some(Some(Value::String(name))) => super::rounding(name).map(Prepared::Rounding),
        Some(None) => Ok(Prepared::None),
        _ => Ok(Prepared::Rounding(Rounding::HalfUp)),
    }
}
