//! An e-mail address that shows its domain only.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MASK_EMAIL: Function = Function {
    spec: Spec {
        name: "mask_email",
        aliases: &[],
        about: "Keeps the first character and the domain of an e-mail address: `a***@b.example`. Other text becomes `***`.",
        parameters: &[Parameter::new("address", Kinds::TEXT, "The address.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["pii.contact.email"], to: None },
        examples: &[
            Example::ok(r#"mask_email("anna@b.example")"#, r#"a***@b.example"#),
            Example::ok(r#"mask_email("nobody")"#, r#"***"#),
            Example::fails(r#"mask_email(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(address)] = arguments else { return Err(super::misuse()) };
    let (first, domain) = match memchr::memchr(b'@', address.as_bytes()) {
        Some(at) if at > 0 => (address.chars().next().map_or("", |c| &address[..c.len_utf8()]), &address[at..]),
        _ => return Ok(Value::String("***")),
    };
    let mut out = call.text(first.len() + 3 + domain.len())?;
    out.push_str(first);
    out.push_str("***");
    out.push_str(domain);
    Ok(Value::String(out.into_bump_str()))
}
