//! A text as part of an address.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static SLUG: Function = Function {
    spec: Spec {
        name: "slug",
        aliases: &[],
        about: "Lower-case Latin letters and digits, with the separator in place of everything else: for addresses, file names and ids.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("separator", Kinds::TEXT, "One or a few characters; `-` if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"slug("Crème Brûlée & Café!")"#, r#"creme-brulee-cafe"#),
            Example::ok(r#"slug("Straße 12", "_")"#, r#"strasse_12"#),
            Example::fails(r#"slug(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let separator = if let [Value::String(separator)] = rest { separator } else { "-" };
    super::few(separator)?;
    let mut out = call.text(text.len())?;
    let mut gap = false;
    for character in text.chars() {
        for plain in any_ascii::any_ascii_char(character).chars() {
            if !plain.is_ascii_alphanumeric() {
                gap = true;
                continue;
            }
            if gap && !out.is_empty() {
                call.spend(separator.len())?;
                out.push_str(separator);
            }
            gap = false;
            call.spend(1)?;
            out.push(plain.to_ascii_lowercase());
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
