//! The words of a text.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static WORDS: Function = Function {
    spec: Spec {
        name: "words",
        aliases: &[],
        about: "The pieces of a text between white space.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::TextList,
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"words("  a b\tc ")"#, r#"["a","b","c"]"#),
            Example::fails(r#"words(1)"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let mut list = call.list(0)?;
    for word in text.split_whitespace() {
        call.spend(size_of::<Value<'_>>())?;
        list.push(Value::String(word));
    }
    Ok(Value::List(list.into_bump_slice()))
}
