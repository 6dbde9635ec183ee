//! A coordinate to within kilometres.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static GENERALIZE_COORDINATE: Function = Function {
    spec: Spec {
        name: "generalize_coordinate",
        aliases: &[],
        about: "A latitude or longitude rounded to so few places that it no longer points at a house: one place is about 11 km, none about 111 km.",
        parameters: &[
            Parameter::new("x", Kinds::INT.or(Kinds::UINT).or(Kinds::DECIMAL), "Degrees, -180 to 180."),
            Parameter::new("places", Kinds::INT, "0 or 1 places after the point; 1 if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Protects { from: &["pii.location.precise"], to: Some("pii.location") },
        examples: &[
            Example::ok("generalize_coordinate(52.520008)", "52.5"),
            Example::ok("generalize_coordinate(13.404954, 0)", "13"),
            Example::fails("generalize_coordinate(200)", "-180 to 180"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [x, rest @ ..] = arguments else { return Err(super::misuse()) };
    let places = match rest {
        [] => 1,
        [Value::Int(places @ 0..=1)] => *places as u32,
        _ => return Err(Failure::value("the places are 0 or 1")),
    };
    let x = match x {
        Value::Decimal(x) => *x,
        Value::Int(x) => Decimal::from_i64(*x),
        Value::Uint(x) => Decimal::from_u64(*x),
        _ => return Err(super::misuse()),
    };
    if x.abs() > Decimal::from_i64(180) {
        return Err(Failure::value("a coordinate is -180 to 180 degrees"));
    }
    Ok(Value::Decimal(x.round(places, Rounding::HalfUp)?))
}
