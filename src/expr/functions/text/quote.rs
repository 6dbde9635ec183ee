//! Text as it would be written in an expression.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static QUOTE: Function = Function {
    spec: Spec {
        name: "quote",
        aliases: &["strings.quote"],
        about: "The text in quotes, with escapes for what cannot stand there.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: false,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"quote("a\nb")"#, r#""a\nb""#), Example::fails(r#"quote(1)"#, r#"wants string"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len() * 2 + 2)?;
    out.push('"');
    for character in text.chars() {
        let letter = match character {
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{b}' => 'v',
            '"' | '\\' => character,
            _ => {
                out.push(character);
                continue;
            }
        };
        out.push('\\');
        out.push(letter);
    }
    out.push('"');
    Ok(Value::String(out.into_bump_str()))
}
