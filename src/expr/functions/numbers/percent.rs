//! How many percent one number is of another.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static PERCENT: Function = Function {
    spec: Spec {
        name: "percent",
        aliases: &[],
        about: "How many percent a part is of a whole, with so many places (2 if not said), ties rounded away from zero.",
        parameters: &[
            Parameter::new("part", Kinds::DECIMAL, "The part."),
            Parameter::new("whole", Kinds::DECIMAL, "The whole."),
            Parameter::new("places", Kinds::INT, "Digits behind the point, 0 to 28.").optional(),
        ],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"percent(1, 8)"#, r#"12.50"#),
            Example::ok(r#"percent(2, 3, 0)"#, r#"67"#),
            Example::fails(r#"percent(1, 0)"#, r#"division by zero"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Decimal(part), Value::Decimal(whole), rest @ ..] = arguments else { return Err(super::misuse()) };
    let places = if let [Value::Int(places)] = rest { super::places(*places)? } else { 2 };
    let hundred = part.mul(Decimal::from_i64(100))?;
    Ok(Value::Decimal(hundred.div(*whole, places, Rounding::HalfUp)?))
}
