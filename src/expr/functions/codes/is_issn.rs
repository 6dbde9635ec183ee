//! Whether a text is an ISSN.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_ISSN: Function = Function {
    spec: Spec {
        name: "is_issn",
        aliases: &[],
        about: "Whether a text is a number of a periodical whose check digit holds (ISO 3297); a hyphen is passed over.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_issn("0378-5955")"#, "true"),
            Example::ok(r#"is_issn("0378-5954")"#, "false"),
            Example::fails("is_issn(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(checks::issn(text)))
}
