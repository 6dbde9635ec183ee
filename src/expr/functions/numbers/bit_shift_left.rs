//! The bits of an integer moved to the left.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static BIT_SHIFT_LEFT: Function = Function {
    spec: Spec {
        name: "bit_shift_left",
        aliases: &["math.bitShiftLeft"],
        about: "The bits of an integer moved to the left; zeros follow.",
        parameters: &[
            Parameter::new("a", Kinds::INT.or(Kinds::UINT), "An integer."),
            Parameter::new("places", Kinds::INT, "By how many places, not negative."),
        ],
        variadic: false,
        method: false,
        returns: Returns::Like(0),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"bit_shift_left(8, 2)"#, r#"32"#),
            Example::fails(r#"bit_shift_left(8, -2)"#, r#"negative"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (number, [Value::Int(places)]) = arguments.split_at(arguments.len().min(1)) else {
        return Err(super::misuse());
    };
    if *places < 0 {
        return Err(Failure::value("the places are negative"));
    }
    let places = u32::try_from(*places).unwrap_or(u32::MAX);
    match number {
        // The sign is a bit like any other.
        [Value::Int(a)] => Ok(Value::Int((*a as u64).checked_shl(places).unwrap_or(0) as i64)),
        [Value::Uint(a)] => Ok(Value::Uint(a.checked_shl(places).unwrap_or(0))),
        _ => Err(super::misuse()),
    }
}
