//! The first letters of a name.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::naming;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static INITIALS: Function = Function {
    spec: Spec {
        name: "initials",
        aliases: &[],
        about: "The first letters of the words of a name, in capitals, titles and what follows the name left out.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The name."),
            Parameter::new("separator", Kinds::TEXT, "Behind each letter; nothing if not said.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"initials("Dr. Anna Maria van der Berg")"#, "AMVDB"),
            Example::ok(r#"initials("Anna Schmidt", ".")"#, "A.S."),
            Example::fails("initials(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let separator = if let [Value::String(separator)] = rest { separator } else { "" };
    let [_, given, middle, family, _] = naming::split(text, call)?;
    let mut out = call.text(0)?;
    for word in given.iter().chain(&middle).chain(&family) {
        call.spend(separator.len() + 4)?;
        out.extend(word.chars().take(1).flat_map(char::to_uppercase));
        out.push_str(separator);
    }
    Ok(Value::String(out.into_bump_str()))
}
