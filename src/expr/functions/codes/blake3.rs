//! A digest of text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static BLAKE3: Function = Function {
    spec: Spec {
        name: "blake3",
        aliases: &[],
        about: "The BLAKE3 digest of text or bytes in hexadecimal. A plain digest does not protect: whoever can guess the text finds it.",
        parameters: &[Parameter::new("x", Kinds::TEXT.or(Kinds::BYTES), "Text (as UTF-8) or bytes.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"blake3("abc")"#, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
            Example::fails("blake3(1)", "wants string or bytes"),
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
    super::hex(blake3::hash(bytes).as_bytes(), call)
}
