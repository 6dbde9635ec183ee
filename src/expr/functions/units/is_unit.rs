//! Whether a text names a unit.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::quantity;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_UNIT: Function = Function {
    spec: Spec {
        name: "is_unit",
        aliases: &[],
        about: "Whether a text is the name of a unit that `convert_unit` knows.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_unit("kg")"#, "true"),
            Example::ok(r#"is_unit("parsec")"#, "false"),
            Example::fails("is_unit(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(quantity::is_known(text)))
}
