//! The mean of a list.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static AVERAGE: Function = Function {
    spec: Spec {
        name: "average",
        aliases: &[],
        about: "The mean of a list of numbers, cut to so many places; an empty list has none.",
        parameters: &[
            Parameter::new("list", Kinds::LIST, "The list."),
            Parameter::new("scale", Kinds::INT, "Places after the point, 0 to 28."),
            Parameter::new(
                "rounding",
                Kinds::TEXT,
                "`half_up` (if not said), `half_even`, `half_down`, `up`, `down`, `ceiling` or `floor`.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok("average([1, 2, 2.5], 2)", "1.83"),
            Example::ok(r#"average([1, 2], 0, "half_even")"#, "2"),
            Example::fails("average([], 2)", "empty"),
            Example::fails(r#"average(["1"], 2)"#, "element 0 is string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items), Value::Int(scale), rest @ ..] = arguments else { return Err(super::misuse()) };
    let rounding = match rest {
        [Value::String(name)] => super::rounding(name)?,
        _ => Rounding::HalfUp,
    };
    let Ok(scale) = u32::try_from(*scale) else { return Err(Failure::value("the scale is 0 to 28")) };
    if scale > 28 {
        return Err(Failure::value("the scale is 0 to 28"));
    }
    if items.is_empty() {
        return Err(Failure::value("the list is empty"));
    }
    let mut sum = Decimal::ZERO;
    for (index, item) in items.iter().enumerate() {
        sum = sum.add(match item {
            Value::Number(text) => Decimal::parse(text)?,
            Value::Decimal(number) => *number,
            Value::Int(number) => Decimal::from_i64(*number),
            Value::Uint(number) => Decimal::from_u64(*number),
            _ => {
                let name = item.type_name();
                return Err(Failure::types(format!("element {index} is {name}, not an exact number")));
            }
        })?;
    }
    Ok(Value::Decimal(sum.div(Decimal::from_u64(items.len() as u64), scale, rounding)?))
}
