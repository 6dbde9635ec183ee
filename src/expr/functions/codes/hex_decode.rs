//! Bytes from hexadecimal text.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static HEX_DECODE: Function = Function {
    spec: Spec {
        name: "hex_decode",
        aliases: &[],
        about: "The bytes of a hexadecimal text (base 16, RFC 4648), in letters of either case.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bytes),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"string(hex_decode("68C3a9"))"#, "hé"),
            Example::fails(r#"hex_decode("abc")"#, "hexadecimal"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let bytes = HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .map_err(|_| Failure::value("the text is not in the form of hexadecimal"))?;
    call.spend(bytes.len())?;
    Ok(Value::Bytes(call.arena.alloc_slice_copy(&bytes)))
}
