//! Bytes as base32 text.

use data_encoding::BASE32;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BASE32_ENCODE: Function = Function {
    spec: Spec {
        name: "base32_encode",
        aliases: &[],
        about: "Bytes, or the UTF-8 bytes of text, as base32 text with padding (RFC 4648).",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "Text (as UTF-8) or bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"base32_encode("foobar")"#, "MZXW6YTBOI======"),
            Example::fails("base32_encode(1)", "wants string or bytes"),
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
    let mut text = call.text(BASE32.encode_len(bytes.len()))?;
    BASE32.encode_write(bytes, &mut text).map_err(|_| Failure::limit())?;
    Ok(Value::String(text.into_bump_str()))
}
