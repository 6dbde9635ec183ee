//! Whether a value lies between two others.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use std::cmp::Ordering;

use super::operators;
use crate::record::{Type, Value};

/// What has an order.
const ORDERED: Kinds = Kinds::NUMBER.or(Kinds::TEXT).or(Kinds::DATE).or(Kinds::TIMESTAMP).or(Kinds::DURATION);

pub(in crate::expr::functions) static BETWEEN: Function = Function {
    spec: Spec {
        name: "between",
        aliases: &[],
        about: "Whether a value lies between two others, which count as between: numbers, texts, dates, moments or spans.",
        parameters: &[
            Parameter::new("x", ORDERED, "The value."),
            Parameter::new("low", ORDERED, "The lowest."),
            Parameter::new("high", ORDERED, "The highest."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"between(5, 1, 5)"#, r#"true"#),
            Example::ok(r#"between(date("2024-03-01"), date("2024-01-01"), date("2024-02-29"))"#, r#"false"#),
            Example::fails(r#"between(5, "a", "b")"#, r#"cannot be compared"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [value, low, high] = arguments else { return Err(super::misuse()) };
    let order = |other: &Value<'_>| match operators::order(value, other) {
        Some(order) => order,
        None => Err(Failure::types(format!("{} and {} cannot be compared", value.type_name(), other.type_name()))),
    };
    let (low, high) = (order(low)?, order(high)?);
    Ok(Value::Bool(low.is_some_and(Ordering::is_ge) && high.is_some_and(Ordering::is_le)))
}
