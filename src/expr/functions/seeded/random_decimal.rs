//! A random fraction.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static RANDOM_DECIMAL: Function = Function {
    spec: Spec {
        name: "random_decimal",
        aliases: &[],
        about: "A random decimal from 0 up to, not with, 1.",
        parameters: &[Parameter::new("places", Kinds::INT, "Places after the point, 1 to 18.")],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[Example::ok("random_decimal(2) < 1", "true"), Example::fails("random_decimal(0)", "1 to 18")],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Int(places @ 1..=18)] = arguments else { return Err(Failure::value("the places are 1 to 18")) };
    let places = *places as u32;
    let drawn = super::number(call) % 10_u128.pow(places);
    Ok(Value::Decimal(Decimal::new(drawn as i128, places)?))
}
