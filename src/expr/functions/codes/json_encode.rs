//! A value as JSON text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static JSON_ENCODE: Function = Function {
    spec: Spec {
        name: "json_encode",
        aliases: &[],
        about: "A value as JSON text in one line. Bytes become base64, times RFC 3339.",
        parameters: &[Parameter::new("x", Kinds::ANY.or(Kinds::NULL), "The value.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"json_encode({"a": [1.50, null, "x"]})"#, r#"{"a":[1.50,null,"x"]}"#),
            Example::ok(r#"json_encode("a\"b")"#, r#""a\"b""#),
            Example::fails("json_encode()", "takes 1"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut text = Vec::new();
    // A list of one is its item between brackets: so scalars are written as JSON too.
    crate::expr::format_value(&Value::List(arguments), &mut text);
    call.spend(text.len())?;
    let inner = text.len().checked_sub(1).and_then(|end| text.get(1..end)).unwrap_or_default();
    let text = std::str::from_utf8(inner).map_err(|_| super::misuse())?;
    Ok(Value::String(call.arena.alloc_str(text)))
}
