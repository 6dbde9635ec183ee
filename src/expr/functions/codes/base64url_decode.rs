//! Bytes from base64url text.

use data_encoding::BASE64URL_NOPAD;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BASE64URL_DECODE: Function = Function {
    spec: Spec {
        name: "base64url_decode",
        aliases: &[],
        about: "The bytes of a base64 text for URLs (RFC 4648, section 5), with or without padding.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bytes),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"string(base64url_decode("YT8-fg"))"#, "a?>~"),
            Example::fails(r#"base64url_decode("a+")"#, "base64url"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let bytes = BASE64URL_NOPAD
        .decode(text.trim_end_matches('=').as_bytes())
        .map_err(|_| Failure::value("the text is not in the form of base64url"))?;
    call.spend(bytes.len())?;
    Ok(Value::Bytes(call.arena.alloc_slice_copy(&bytes)))
}
