//! A digest of text.

use md5::{Digest, Md5};

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MD5: Function = Function {
    spec: Spec {
        name: "md5",
        aliases: &[],
        about: "The MD5 digest of text or bytes in hexadecimal. MD5 is broken: use it only where another system asks for it, as for an ETag.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "Text (as UTF-8) or bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"md5("abc")"#, "900150983cd24fb0d6963f7d28e17f72"),
            Example::fails("md5(1)", "wants string or bytes"),
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
    super::hex(&Md5::digest(bytes), call)
}
