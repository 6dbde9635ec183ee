//! A binary floating-point number, only where asked for.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static DOUBLE: Function = Function {
    spec: Spec {
        name: "double",
        aliases: &[],
        about: "Converts to a binary floating-point number.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::NUMBER), "Text of a number, or a number.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Double),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"double("1.5")"#, r#"1.5"#),
            Example::fails(r#"double("x")"#, r#"not in the form of a number"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Double(match arguments {
        [Value::String(text)] => match *text {
            "NaN" => f64::NAN,
            "Infinity" | "+Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            text => text.parse().map_err(|_| Failure::value("the text is not in the form of a number"))?,
        },
        [Value::Int(number)] => *number as f64,
        [Value::Uint(number)] => *number as f64,
        [Value::Decimal(number)] => number.to_f64(),
        [Value::Double(number)] => *number,
        _ => return Err(super::misuse()),
    }))
}
