//! Whether a text is an e-mail address.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::contact;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_EMAIL: Function = Function {
    spec: Spec {
        name: "is_email",
        aliases: &[],
        about: "Whether a text is an e-mail address as people have them: a name of up to 64 characters, `@`, and a domain with a point. Whether anybody reads it is not asked.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_email("anna.b+news@mail.example")"#, "true"),
            Example::ok(r#"is_email("anna@@b.example")"#, "false"),
            Example::ok(r#"is_email("anna@localhost")"#, "false"),
            Example::fails("is_email(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(contact::email(text).is_some()))
}
