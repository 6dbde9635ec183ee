//! A random whole number.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static RANDOM_INT: Function = Function {
    spec: Spec {
        name: "random_int",
        aliases: &[],
        about: "A random whole number, both bounds within.",
        parameters: &[
            Parameter::new("least", Kinds::INT, "The smallest it can be."),
            Parameter::new("most", Kinds::INT, "The largest it can be."),
        ],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Carries,
        examples: &[
            Example::ok("random_int(1, 6) in [1, 2, 3, 4, 5, 6]", "true"),
            Example::ok("random_int(3, 3)", "3"),
            Example::fails("random_int(2, 1)", "none between"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Int(least), Value::Int(most)] = arguments else { return Err(super::misuse()) };
    let Ok(span) = u128::try_from(i128::from(*most) - i128::from(*least)) else {
        return Err(Failure::value("there is none between: the first number is the larger one"));
    };
    let drawn = super::number(call) % (span + 1);
    Ok(Value::Int((i128::from(*least) + drawn as i128) as i64))
}
