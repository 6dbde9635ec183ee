//! Text of any scalar.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static STRING: Function = Function {
    spec: Spec {
        name: "string",
        aliases: &[],
        about: "The canonical text of a scalar.",
        parameters: &[Parameter::new(
            "x",
            Kinds::BOOL
                .or(Kinds::NUMBER)
                .or(Kinds::TEXT)
                .or(Kinds::BYTES)
                .or(Kinds::TIMESTAMP)
                .or(Kinds::DATE)
                .or(Kinds::DURATION)
                .or(Kinds::RAW),
            "The scalar.",
        )],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"string(1.50)"#, r#"1.50"#),
            Example::ok(r#"string(true) + "!""#, r#"true!"#),
            Example::fails(r#"string([1])"#, r#"wants"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match arguments {
        [Value::String(text) | Value::Number(text)] => Ok(Value::String(text)),
        [Value::Bytes(bytes)] => {
            std::str::from_utf8(bytes).map(Value::String).map_err(|_| Failure::value("the bytes are not UTF-8"))
        }
        [value] => {
            let mut text = Vec::new();
            let value = match value {
                // CEL writes moments in UTC.
                Value::Timestamp(moment) if call.cel => {
                    &Value::Timestamp(crate::record::Timestamp { offset: 0, ..*moment })
                }
                value => value,
            };
            crate::expr::format_value(value, &mut text);
            call.spend(text.len())?;
            Ok(Value::String(call.arena.alloc_str(&String::from_utf8_lossy(&text))))
        }
        _ => Err(super::misuse()),
    }
}
