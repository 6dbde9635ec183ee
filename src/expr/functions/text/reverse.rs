//! Text from its end to its beginning.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static REVERSE: Function = Function {
    spec: Spec {
        name: "reverse",
        aliases: &[],
        about: "The characters of a text in the other order.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"reverse("abc")"#, r#"cba"#), Example::fails(r#"reverse(1)"#, r#"wants string"#)],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut out = call.text(text.len())?;
    out.extend(text.chars().rev());
    Ok(Value::String(out.into_bump_str()))
}
