//! A digest of text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::digest::sha256;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SHA256: Function = Function {
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
    let digest = sha256(bytes);
    let mut text = [0_u8; 64];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(digest) {
        *pair = PAIRS[usize::from(byte)];
    }
    call.spend(text.len())?;
    Ok(Value::String(std::str::from_utf8(call.arena.alloc(text)).unwrap_or_default()))
}

/// The two digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};
