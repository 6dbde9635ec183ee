//! An exact decimal from text and numbers.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static DECIMAL: Function = Function {
    spec: Spec {
        name: "decimal",
        aliases: &[],
        about: "Converts to an exact decimal.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::NUMBER), "Text of a number, or a number.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"decimal("1.50") * 2"#, r#"3.00"#),
            Example::fails(r#"decimal("1,50")"#, r#"not in the form of a number"#),
        ],
    },
    prepare: None,
    call,
};

#[inline]
fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text)] => Ok(Value::Decimal(Decimal::parse(text)?)),
        [Value::Decimal(number)] => Ok(Value::Decimal(*number)),
        [Value::Int(number)] => Ok(Value::Decimal(Decimal::from_i64(*number))),
        [Value::Uint(number)] => Ok(Value::Decimal(Decimal::from_u64(*number))),
        // The shortest text that reads back as the same double.
        [Value::Double(number)] if number.is_finite() => Ok(Value::Decimal(Decimal::parse(&number.to_string())?)),
        [Value::Double(_)] => Err(Failure::number("infinity and NaN are no decimals")),
        _ => Err(super::misuse()),
    }
}
