//! A digest of text.

use sha1::{Digest, Sha1};

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SHA1: Function = Function {
    spec: Spec {
        name: "sha1",
        aliases: &[],
        about: "The SHA-1 digest of text or bytes in hexadecimal. SHA-1 is broken: use it only where another system asks for it.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "Text (as UTF-8) or bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"sha1("abc")"#, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            Example::fails("sha1(1)", "wants string or bytes"),
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
    super::hex(&Sha1::digest(bytes), call)
}
