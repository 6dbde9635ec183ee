//! An unsigned whole number.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static UINT: Function = Function {
    spec: Spec {
        name: "uint",
        aliases: &[],
        about: "Converts to an unsigned whole number.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::NUMBER), "Text of an integer, or a number.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Uint),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"uint("42")"#, r#"42"#), Example::fails(r#"uint(-1)"#, r#"does not fit"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let range = || Failure::number("the number does not fit an unsigned 64-bit integer (range error)");
    Ok(Value::Uint(match arguments {
        [Value::String(text)] => {
            text.parse().map_err(|_| Failure::value("the text is not in the form of an unsigned integer"))?
        }
        [Value::Int(number)] => u64::try_from(*number).map_err(|_| range())?,
        [Value::Uint(number)] => *number,
        [Value::Decimal(number)] => {
            let number = number.normalised();
            if number.scale() > 0 {
                return Err(Failure::value("the number is not whole"));
            }
            u64::try_from(number.mantissa()).map_err(|_| range())?
        }
        [Value::Double(number)] if *number > -1.0 && *number < 18_446_744_073_709_551_615.0 => *number as u64,
        [Value::Double(_)] => return Err(range()),
        _ => return Err(super::misuse()),
    }))
}
