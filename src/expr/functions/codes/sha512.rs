//! A digest of text.

use sha2::{Digest, Sha512};

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SHA512: Function = Function {
    spec: Spec {
        name: "sha512",
        aliases: &[],
        about: "The SHA-512 digest of text or bytes in hexadecimal. A plain digest does not protect: whoever can guess the text finds it.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "Text (as UTF-8) or bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"sha512("abc")"#,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            Example::fails("sha512(1)", "wants string or bytes"),
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
    super::hex(&Sha512::digest(bytes), call)
}
