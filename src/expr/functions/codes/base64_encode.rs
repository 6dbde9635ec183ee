//! Bytes as base64 text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BASE64_ENCODE: Function = Function {
    spec: Spec {
        name: "base64_encode",
        aliases: &["base64.encode"],
        about: "Bytes, or the UTF-8 bytes of text, as base64 text with padding (RFC 4648).",
        parameters: &[Parameter::new("x", Kinds::BYTES.or(Kinds::TEXT), "The bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"base64_encode("hello")"#, r#"aGVsbG8="#),
            Example::fails(r#"base64_encode(1)"#, r#"wants"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let bytes = match arguments {
        [Value::String(text)] => text.as_bytes(),
        [Value::Bytes(bytes)] => bytes,
        _ => return Err(super::misuse()),
    };
    let text = STANDARD.encode(bytes);
    call.spend(text.len())?;
    Ok(Value::String(call.arena.alloc_str(&text)))
}
