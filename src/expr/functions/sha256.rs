//! A digest of text.

use sha2::{Digest, Sha256};

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(super) static SHA256: Function = Function {
    spec: Spec {
        name: "sha256",
        aliases: &[],
        about: "The SHA-256 digest of text or bytes in hexadecimal. A plain digest does not protect: whoever can guess the text finds it.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "Text (as UTF-8) or bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"sha256("abc")"#, r#"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"#),
            Example::fails(r#"sha256(1)"#, r#"wants string or bytes"#),
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
    let mut text = [0_u8; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(Sha256::digest(bytes)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    call.spend(text.len())?;
    Ok(Value::String(std::str::from_utf8(call.arena.alloc(text)).unwrap_or_default()))
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";
