//! What a pattern finds in a text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static EXTRACT: Function = Function {
    spec: Spec {
        name: "extract",
        aliases: &[],
        about: "What the group of a regular expression matched at its first match; null if it does not match.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("pattern", Kinds::TEXT, "The pattern."),
            Parameter::new(
                "group",
                Kinds::INT.or(Kinds::TEXT),
                "Number or name of the group; if not said the first one, or all that matched if there is none.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"extract("Order 4711 of May", "[0-9]+")"#, r#"4711"#),
            Example::ok(r#"extract("L-12/B", "-([0-9]+)/(?<bay>[A-Z])", "bay")"#, r#"B"#),
            Example::ok(r#"coalesce(extract("none", "[0-9]+"), "0")"#, r#"0"#),
            Example::fails(r#"extract("a", "a", 2)"#, r#"no such group"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern), rest @ ..] = arguments else { return Err(super::misuse()) };
    let made;
    let wanted = match super::made(call.prepared) {
        Some(wanted) => wanted,
        None => {
            made = super::Wanted::new(pattern, rest.first())?;
            &made
        }
    };
    if wanted.group == 0 {
        return Ok(wanted.pattern.find(text).map_or(Value::Null, |found| Value::String(found.as_str())));
    }
    let found = wanted.pattern.captures(text).and_then(|groups| groups.get(wanted.group));
    Ok(found.map_or(Value::Null, |found| Value::String(found.as_str())))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    let [_, Some(Value::String(pattern)), rest @ ..] = constants else { return Ok(Prepared::None) };
    match rest {
        [None] => Ok(Prepared::None),
        [Some(group)] => super::Wanted::new(pattern, Some(group)).map(|wanted| Prepared::Made(Box::new(wanted))),
        _ => super::Wanted::new(pattern, None).map(|wanted| Prepared::Made(Box::new(wanted))),
    }
}
