//! The largest of several values.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static MAX: Function = Function {
    spec: Spec {
        name: "max",
        aliases: &["math.greatest"],
        about: "The largest of several values, or of the items of one list.",
        parameters: &[Parameter::new("x", Kinds(Kinds::ANY.0 & !Kinds::RAW.0), "A value, or a list of them.")],
        variadic: true,
        method: false,
        returns: Returns::Computed("what the arguments or items have in common", super::extreme_kind),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"max(1, 2.5)"#, r#"2.5"#),
            Example::ok(r#"max([3, 2])"#, r#"3"#),
            Example::fails(r#"max(1, "x")"#, r#"cannot be compared"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    super::extreme(arguments, std::cmp::Ordering::Greater)
}
