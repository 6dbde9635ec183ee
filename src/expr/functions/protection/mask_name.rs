//! A name of which the initials show.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MASK_NAME: Function = Function {
    spec: Spec {
        name: "mask_name",
        aliases: &[],
        about: "Keeps the first letter of each word of a name: `A*** S***`, whatever their length.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The name.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["pii.name", "pci.cardholder"], to: None },
        examples: &[
            Example::ok(r#"mask_name("Anna Schmidt")"#, "A*** S***"),
            Example::ok(r#"mask_name("  ")"#, ""),
            Example::fails("mask_name(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(0)?;
    for word in text.split_whitespace() {
        call.spend(8)?;
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().take(1));
        out.push_str("***");
    }
    Ok(Value::String(out.into_bump_str()))
}
