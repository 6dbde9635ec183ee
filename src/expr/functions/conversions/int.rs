//! A whole number from text, numbers and moments.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static INT: Function = Function {
    spec: Spec {
        name: "int",
        aliases: &[],
        about: "Converts to a whole number; what stands behind the point must be zero. A double is truncated, a moment becomes its seconds since 1970.",
        parameters: &[Parameter::new(
            "x",
            Kinds::TEXT.or(Kinds::NUMBER).or(Kinds::TIMESTAMP),
            "Text of an integer, or a number.",
        )],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"int("42")"#, r#"42"#),
            Example::ok(r#"int(7.00)"#, r#"7"#),
            Example::fails(r#"int("4x")"#, r#"not in the form of an integer"#),
            Example::fails(r#"int(7.5)"#, r#"whole"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let range = || Failure::number("the number does not fit 64 bits");
    Ok(Value::Int(match arguments {
        [Value::String(text)] => match text.parse() {
            Ok(number) => number,
            Err(_) => {
                let number =
                    Decimal::parse(text).map_err(|_| Failure::value("the text is not in the form of an integer"))?;
                if text.contains(['e', 'E', '.']) {
                    return Err(Failure::value("the text is not in the form of an integer"));
                }
                number.to_i64().ok_or_else(range)?
            }
        },
        [Value::Int(number)] => *number,
        [Value::Uint(number)] => i64::try_from(*number).map_err(|_| range())?,
        [Value::Decimal(number)] => {
            if number.normalised().scale() > 0 {
                return Err(Failure::value("the number is not whole: say how with `round`, `floor` or `ceil`"));
            }
            number.to_i64().ok_or_else(range)?
        }
        // The bounds themselves are not exact in a double, so they are outside.
        [Value::Double(number)] if number.abs() < 9_223_372_036_854_775_807.0 => *number as i64,
        [Value::Double(_)] => return Err(range()),
        [Value::Timestamp(moment)] => moment.seconds,
        _ => return Err(super::misuse()),
    }))
}
