//! A map as the query of a URL.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::operators;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static URL_QUERY: Function = Function {
    spec: Spec {
        name: "url_query",
        aliases: &[],
        about: "The entries of a map as the query of a URL, in their order: `a=1&b=x%20y`. What is null is left out; a list gives its key once for each item.",
        parameters: &[Parameter::new(
            "map",
            Kinds::MAP,
            "The entries; values are text, numbers, truth values or lists of them.",
        )],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"url_query({"q": "a b", "page": 2, "tag": ["x", "y"]})"#, "q=a%20b&page=2&tag=x&tag=y"),
            Example::fails(r#"url_query({"a": {"b": 1}})"#, "cannot stand in a query"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [map] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(0)?;
    for (key, value) in operators::entries(map) {
        let items = if let Value::List(items) = value { items } else { std::slice::from_ref(&value) };
        for item in items.iter().filter(|item| !item.is_absent()) {
            if !matches!(
                item,
                Value::String(_)
                    | Value::Int(_)
                    | Value::Uint(_)
                    | Value::Decimal(_)
                    | Value::Number(_)
                    | Value::Bool(_)
            ) {
                return Err(Failure::types(format!("a {} cannot stand in a query", item.type_name())));
            }
            let begun = out.len();
            for (before, part) in [(if out.is_empty() { "" } else { "&" }, key), ("=", *item)] {
                out.push_str(before);
                let mut text = Vec::new();
                crate::expr::format_value(&part, &mut text);
                super::put_url(&String::from_utf8_lossy(&text), &mut out);
            }
            call.spend(out.len() - begun)?;
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
