//! The parts of a URL.

use std::collections::HashMap;
use url::Url;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static URL_PARTS: Function = Function {
    spec: Spec {
        name: "url_parts",
        aliases: &[],
        about: "The parts of a URL (WHATWG URL Standard) as a map with `scheme`, `host`, `port`, `path`, `query` (a map of text) and `fragment`, as far as it has them. User and password are left out.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The URL, with its scheme.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Dyn),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"url_parts("https://u:p@Example.com:8443/a%20b?x=1&y=a+b#top")"#,
                r#"{"scheme":"https","host":"example.com","port":8443,"path":"/a%20b","query":{"x":"1","y":"a b"},"fragment":"top"}"#,
            ),
            Example::ok(r#"url_parts("mailto:a@b.example").scheme"#, "mailto"),
            Example::fails(r#"url_parts("/a/b")"#, "no URL"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let url = Url::parse(text).map_err(|_| Failure::value("the text is no URL with a scheme"))?;
    call.spend(url.as_str().len().saturating_mul(2))?;
    let keep = |text: &str| Value::String(call.arena.alloc_str(text));
    let mut parts = call.list(6)?;
    parts.push(("scheme", keep(url.scheme())));
    if let Some(host) = url.host_str() {
        parts.push(("host", keep(host)));
    }
    if let Some(port) = url.port() {
        parts.push(("port", Value::Int(i64::from(port))));
    }
    parts.push(("path", keep(url.path())));
    if url.query().is_some() {
        let mut query: bumpalo::collections::Vec<'a, (&'a str, Value<'a>)> = call.list(0)?;
        let mut known = HashMap::new();
        for (key, value) in url.query_pairs() {
            call.spend(size_of::<(&str, Value<'_>)>())?;
            let place = *known.entry(key.to_string()).or_insert(query.len());
            // Of a key that stands twice the last value holds, as in a map.
            match query.get_mut(place) {
                Some((_, held)) => *held = keep(&value),
                None => query.push((call.arena.alloc_str(&key), keep(&value))),
            }
        }
        parts.push(("query", Value::Map(query.into_bump_slice())));
    }
    if let Some(fragment) = url.fragment() {
        parts.push(("fragment", keep(fragment)));
    }
    Ok(Value::Map(parts.into_bump_slice()))
}
