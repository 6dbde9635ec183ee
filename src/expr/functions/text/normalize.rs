//! Text in a normal form of Unicode.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};
use unicode_normalization::UnicodeNormalization;

pub(in crate::expr::functions) static NORMALIZE: Function = Function {
    spec: Spec {
        name: "normalize",
        aliases: &[],
        about: "The text in a normal form of Unicode, so that equal letters are equal bytes.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("form", Kinds::TEXT, "`NFC` (the default), `NFD`, `NFKC` or `NFKD`.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"normalize("e\u0301") == "é""#, r#"true"#),
            Example::ok(r#"normalize("ﬁn ①", "NFKC")"#, r#"fin 1"#),
            Example::fails(r#"normalize("a", "NFX")"#, r#"NFC"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let form = if let [Value::String(form)] = rest { form } else { "NFC" };
    if !matches!(form, "NFC" | "NFD" | "NFKC" | "NFKD") {
        return Err(Failure::value("the form is NFC, NFD, NFKC or NFKD"));
    }
    if text.is_ascii() {
        return Ok(Value::String(text));
    }
    let mut out = call.text(text.len())?;
    let mut push = |character: char| {
        out.push(character);
        call.spend(character.len_utf8())
    };
    match form {
        "NFC" => text.nfc().try_for_each(&mut push)?,
        "NFD" => text.nfd().try_for_each(&mut push)?,
        "NFKC" => text.nfkc().try_for_each(&mut push)?,
        _ => text.nfkd().try_for_each(&mut push)?,
    }
    Ok(Value::String(out.into_bump_str()))
}
