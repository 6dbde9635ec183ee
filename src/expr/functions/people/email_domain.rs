//! The domain of an e-mail address.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::contact;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static EMAIL_DOMAIN: Function = Function {
    spec: Spec {
        name: "email_domain",
        aliases: &[],
        about: "The domain of an e-mail address in small letters.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The address.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["pii.contact.email"], to: None },
        examples: &[
            Example::ok(r#"email_domain("anna@Mail.example")"#, "mail.example"),
            Example::fails(r#"email_domain("anna")"#, "no e-mail address"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let Some((_, domain)) = contact::email(text.trim()) else {
        return Err(Failure::value("the text is no e-mail address"));
    };
    let lower = domain.to_lowercase();
    call.spend(lower.len())?;
    Ok(Value::String(call.arena.alloc_str(&lower)))
}
