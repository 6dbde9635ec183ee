//! Bytes as base64url text.

use data_encoding::BASE64URL_NOPAD;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BASE64URL_ENCODE: Function = Function {
    spec: Spec {
        name: "base64url_encode",
        aliases: &[],
        about: "Bytes, or the UTF-8 bytes of text, as base64 text for URLs and file names, without padding (RFC 4648, section 5).",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "Text (as UTF-8) or bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"base64url_encode("a?>~")"#, "YT8-fg"),
            Example::fails("base64url_encode(1)", "wants string or bytes"),
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
    let mut text = call.text(BASE64URL_NOPAD.encode_len(bytes.len()))?;
    BASE64URL_NOPAD.encode_write(bytes, &mut text).map_err(|_| Failure::limit())?;
    Ok(Value::String(text.into_bump_str()))
}
