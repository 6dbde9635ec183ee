//! Bytes from base32 text.

use data_encoding::BASE32_NOPAD;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BASE32_DECODE: Function = Function {
    spec: Spec {
        name: "base32_decode",
        aliases: &[],
        about: "The bytes of a base32 text (RFC 4648), with or without padding, in letters of either case.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bytes),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"string(base32_decode("mzxw6ytboi"))"#, "foobar"),
            Example::fails(r#"base32_decode("18")"#, "base32"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let plain = text.trim_end_matches('=').to_ascii_uppercase();
    let bytes =
        BASE32_NOPAD.decode(plain.as_bytes()).map_err(|_| Failure::value("the text is not in the form of base32"))?;
    call.spend(bytes.len())?;
    Ok(Value::Bytes(call.arena.alloc_slice_copy(&bytes)))
}
