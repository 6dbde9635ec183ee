//! Text as a part of a URL.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static URL_ENCODE: Function = Function {
    spec: Spec {
        name: "url_encode",
        aliases: &[],
        about: "Text as a part of a URL: all but letters, digits and `- . _ ~` as `%` and the hexadecimal of its UTF-8 bytes (RFC 3986).",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"url_encode("a b&é")"#, "a%20b%26%C3%A9"),
            Example::fails("url_encode(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len().saturating_mul(3))?;
    super::put_url(text, &mut out);
    Ok(Value::String(out.into_bump_str()))
}
