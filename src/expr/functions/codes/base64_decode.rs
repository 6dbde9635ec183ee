//! Bytes from base64 text.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BASE64_DECODE: Function = Function {
    spec: Spec {
        name: "base64_decode",
        aliases: &["base64.decode"],
        about: "The bytes of a base64 text (RFC 4648), with or without padding.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bytes),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"string(base64_decode("aGVsbG8="))"#, r#"hello"#),
            Example::fails(r#"base64_decode("a?")"#, r#"base64"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let bytes = STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .map_err(|_| Failure::value("the text is not in the form of base64"))?;
    call.spend(bytes.len())?;
    Ok(Value::Bytes(call.arena.alloc_slice_copy(&bytes)))
}
