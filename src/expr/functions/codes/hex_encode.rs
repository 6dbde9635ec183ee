//! Bytes as hexadecimal text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static HEX_ENCODE: Function = Function {
    spec: Spec {
        name: "hex_encode",
        aliases: &[],
        about: "Bytes, or the UTF-8 bytes of text, in hexadecimal (base 16, RFC 4648) with small letters.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "Text (as UTF-8) or bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"hex_encode("hé")"#, "68c3a9"),
            Example::fails("hex_encode(1)", "wants string or bytes"),
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
    super::hex(bytes, call)
}
