//! A value from JSON text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static JSON_DECODE: Function = Function {
    spec: Spec {
        name: "json_decode",
        aliases: &[],
        about: "The value of a JSON text. Numbers keep their digits; of a key that stands twice the last value holds.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The JSON, nested at most 100 deep.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Dyn),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"json_decode("{\"a\": [1.50, null]}").a[0]"#, "1.50"),
            Example::fails(r#"json_decode("[1,]")"#, "not JSON"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    // The tree that is made first takes memory too.
    call.spend(text.len().saturating_mul(8))?;
    let tree: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| Failure::value(format!("not JSON at character {}", error.column())))?;
    value(&tree, call)
}

fn value<'a>(tree: &serde_json::Value, call: &Call<'_, 'a>) -> Outcome<'a> {
    use serde_json::Value as Json;
    Ok(match tree {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Number(call.arena.alloc_str(&number.to_string())),
        Json::String(text) => Value::String(call.arena.alloc_str(text)),
        Json::Array(items) => {
            let mut list = call.list(items.len())?;
            for item in items {
                list.push(value(item, call)?);
            }
            Value::List(list.into_bump_slice())
        }
        Json::Object(entries) => {
            let mut list = call.list(entries.len())?;
            for (key, item) in entries {
                list.push((&*call.arena.alloc_str(key), value(item, call)?));
            }
            Value::Map(list.into_bump_slice())
        }
    })
}
