//! A telephone number of which the last digits show.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MASK_PHONE: Function = Function {
    spec: Spec {
        name: "mask_phone",
        aliases: &[],
        about: "Replaces the digits of a telephone number by `*` but for the last two; with fewer than seven digits, all of them. Signs and spaces stay.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The number.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["pii.contact.phone"], to: None },
        examples: &[
            Example::ok(r#"mask_phone("+49 30 901820")"#, "+** ** ****20"),
            Example::ok(r#"mask_phone("110")"#, "***"),
            Example::fails("mask_phone(110)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let count = text.chars().filter(|character| character.is_alphanumeric()).count();
    let shown_from = if count >= 7 { count - 2 } else { count };
    let mut out = call.text(text.len())?;
    let mut seen = 0;
    for character in text.chars() {
        // A letter is a digit on a dial, or an extension: no more to be shown than these.
        let hidden = character.is_alphanumeric() && {
            seen += 1;
            seen <= shown_from
        };
        out.push(if hidden { '*' } else { character });
    }
    Ok(Value::String(out.into_bump_str()))
}
