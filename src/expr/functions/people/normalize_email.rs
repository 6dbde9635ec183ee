//! An e-mail address in the form in which it compares.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::contact;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static NORMALIZE_EMAIL: Function = Function {
    spec: Spec {
        name: "normalize_email",
        aliases: &[],
        about: "An e-mail address without spaces around it, in small letters: no provider tells addresses apart by case. What is no address is an error.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The address.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"normalize_email(" Anna.B@Mail.EXAMPLE ")"#, "anna.b@mail.example"),
            Example::fails(r#"normalize_email("anna")"#, "no e-mail address"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let text = text.trim();
    if contact::email(text).is_none() {
        return Err(Failure::value("the text is no e-mail address"));
    }
    let lower = text.to_lowercase();
    call.spend(lower.len())?;
    Ok(Value::String(call.arena.alloc_str(&lower)))
}
