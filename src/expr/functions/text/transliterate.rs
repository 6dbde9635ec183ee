//! Text in plain Latin letters.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};
use unicode_normalization::UnicodeNormalization;

pub(in crate::expr::functions) static TRANSLITERATE: Function = Function {
    spec: Spec {
        name: "transliterate",
        aliases: &[],
        about: "Writes a text with ASCII letters alone: accents fall away, other scripts are romanised; with `de` an umlaut becomes two letters (`ä`: `ae`).",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("language", Kinds::TEXT, "`de` for German habits.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"transliterate("Łódź, Αθήνα, Москва")"#, r#"Lodz, Athina, Moskva"#),
            Example::ok(r#"transliterate("Müller, Öl", "de")"#, r#"Mueller, Oel"#),
            Example::fails(r#"transliterate("a", "xx")"#, r#"`de`"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let german = match rest {
        [Value::String("de")] => true,
        [_] => return Err(Failure::value("the only language with habits of its own is `de`")),
        _ => false,
    };
    if text.is_ascii() {
        return Ok(Value::String(text));
    }
    // An umlaut may come as a letter and a mark.
    let mut out = call.text(text.len())?;
    for character in text.nfc() {
        let plain = match character {
            'ä' if german => "ae",
            'ö' if german => "oe",
            'ü' if german => "ue",
            'Ä' if german => "Ae",
            'Ö' if german => "Oe",
            'Ü' if german => "Ue",
            _ => any_ascii::any_ascii_char(character),
        };
        call.spend(plain.len())?;
        out.push_str(plain);
    }
    Ok(Value::String(out.into_bump_str()))
}
