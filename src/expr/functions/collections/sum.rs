//! The sum of a list.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec, operators};
use crate::expr::ast::Operator;
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static SUM: Function = Function {
    spec: Spec {
        name: "sum",
        aliases: &[],
        about: "The exact sum of a list of numbers; 0 for an empty list.",
        parameters: &[Parameter::new("list", Kinds::LIST, "The numbers.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok("sum([1.50, 2, 0.25])", "3.75"),
            Example::ok("sum([])", "0"),
            Example::fails("sum([1, null])", "element 1 is null"),
            Example::fails(r#"sum([1, "2"])"#, "element 1 is string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::List(items)] = arguments else { return Err(super::misuse()) };
    let mut sum = Value::Decimal(Decimal::ZERO);
    for (index, item) in items.iter().enumerate() {
        // Nearly always: numbers of the data, added as decimals.
        let next = match item {
            Value::Number(text) => Value::Decimal(Decimal::parse(text)?),
            Value::Decimal(_) | Value::Int(_) | Value::Uint(_) => *item,
            _ => return Err(no_number(index, item)),
        };
        sum = match (sum, next) {
            (Value::Decimal(a), Value::Decimal(b)) => Value::Decimal(a.add(b)?),
            _ => {
                operators::arithmetic(Operator::Add, sum, next, call).unwrap_or_else(|| Err(no_number(index, item)))?
            }
        };
    }
    Ok(sum)
}

#[cold]
fn no_number(index: usize, item: &Value<'_>) -> Failure {
    Failure::types(format!("element {index} is {}, not an exact number", item.type_name()))
}
