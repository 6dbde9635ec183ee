//! An IBAN as people write it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FORMAT_IBAN: Function = Function {
    spec: Spec {
        name: "format_iban",
        aliases: &[],
        about: "An IBAN in capital letters, in groups of four as on paper, or with the empty separator as machines want it.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "An IBAN; its check digits must hold."),
            Parameter::new("separator", Kinds::TEXT, "Between the groups; a space if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"format_iban("gb29nwbk60161331926819")"#, "GB29 NWBK 6016 1331 9268 19"),
            Example::ok(r#"format_iban("GB29 NWBK 6016 1331 9268 19", "")"#, "GB29NWBK60161331926819"),
            Example::fails(r#"format_iban("GB00NWBK60161331926819")"#, "no IBAN"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let separator = if let [Value::String(separator)] = rest { separator } else { " " };
    if !checks::iban(text) {
        return Err(Failure::value("the text is no IBAN whose check digits hold"));
    }
    let mut out = call.text(text.len() + separator.len().saturating_mul(9))?;
    for (index, character) in text.chars().filter(|character| *character != ' ').enumerate() {
        if index > 0 && index % 4 == 0 {
            out.push_str(separator);
        }
        out.push(character.to_ascii_uppercase());
    }
    Ok(Value::String(out.into_bump_str()))
}
