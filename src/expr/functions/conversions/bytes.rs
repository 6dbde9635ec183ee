//! The UTF-8 bytes of text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BYTES: Function = Function {
    spec: Spec {
        name: "bytes",
        aliases: &[],
        about: "The UTF-8 bytes of a text.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bytes),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"size(bytes("é"))"#, r#"2"#),
            Example::fails(r#"bytes(1)"#, r#"wants string or bytes"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text)] => Ok(Value::Bytes(text.as_bytes())),
        [Value::Bytes(bytes)] => Ok(Value::Bytes(bytes)),
        _ => Err(super::misuse()),
    }
}
