//! A name with single spaces and capitals where they belong.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::naming;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static NORMALIZE_NAME: Function = Function {
    spec: Spec {
        name: "normalize_name",
        aliases: &[],
        about: "A name with single spaces. One that is written in capitals or in small letters only gets a capital at the beginning of each word, behind hyphens, `O'` and `Mc`; `van`, `de` and the like stay small.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The name.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"normalize_name("ANNA  MARIA VAN DER BERG-SCHMIDT")"#, "Anna Maria van der Berg-Schmidt"),
            Example::ok(r#"normalize_name("o'neill mcdonald")"#, "O'Neill McDonald"),
            Example::ok(r#"normalize_name("deVries  Anna")"#, "deVries Anna"),
            Example::fails("normalize_name(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mixed = text.chars().any(char::is_lowercase) && text.chars().any(char::is_uppercase);
    let mut out = call.text(text.len().saturating_mul(2))?;
    for word in text.split_whitespace() {
        let first = out.is_empty();
        if !first {
            out.push(' ');
        }
        if mixed {
            out.push_str(word);
        } else {
            naming::capitalise(word, first, &mut out);
        }
    }
    Ok(Value::String(out.into_bump_str()))
}
