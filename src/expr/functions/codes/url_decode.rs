//! Text from a part of a URL.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static URL_DECODE: Function = Function {
    spec: Spec {
        name: "url_decode",
        aliases: &[],
        about: "The text of a part of a URL: `%` and two hexadecimal digits are a byte of its UTF-8. `+` stays as it is.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"url_decode("a%20b%26%C3%A9")"#, "a b&é"),
            Example::fails(r#"url_decode("%zz")"#, "two hexadecimal digits"),
            Example::fails(r#"url_decode("%ff")"#, "UTF-8"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut bytes = call.list(text.len())?;
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(Failure::value("a `%` is not followed by two hexadecimal digits"));
        };
        bytes.push((high << 4 | low) as u8);
        rest = after.get(2..).unwrap_or_default();
    }
    let text = std::str::from_utf8(bytes.into_bump_slice());
    text.map(Value::String).map_err(|_| Failure::value("the bytes are not UTF-8"))
}
