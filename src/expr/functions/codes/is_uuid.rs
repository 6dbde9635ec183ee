//! Whether a text is a UUID.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::uuid;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_UUID: Function = Function {
    spec: Spec {
        name: "is_uuid",
        aliases: &[],
        about: "Whether a text is a UUID in the usual form of 36 characters (RFC 9562).",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_uuid("2ed6657d-e927-568b-95e1-2665a8aea6a2")"#, "true"),
            Example::ok(r#"is_uuid("2ed6657d")"#, "false"),
            Example::fails("is_uuid(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(uuid::parse(text).is_some()))
}
