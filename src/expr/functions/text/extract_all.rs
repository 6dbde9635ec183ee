//! Everything a pattern finds in a text.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static EXTRACT_ALL: Function = Function {
    spec: Spec {
        name: "extract_all",
        aliases: &[],
        about: "What the group of a regular expression matched, for each of its matches.",
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
        returns: Returns::TextList,
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"extract_all("a1 b22", "[0-9]+")"#, r#"["1","22"]"#),
            Example::ok(r#"extract_all("k=v; l=w", "(\\w)=(\\w)", 2)"#, r#"["v","w"]"#),
            Example::fails(r#"extract_all("a", "(")"#, r#"pattern"#),
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
    let mut list = call.list(0)?;
    for groups in wanted.pattern.captures_iter(text) {
        if let Some(found) = groups.get(wanted.group) {
            call.spend(size_of::<Value<'_>>())?;
            list.push(Value::String(found.as_str()));
        }
    }
    Ok(Value::List(list.into_bump_slice()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    let [_, Some(Value::String(pattern)), rest @ ..] = constants else { return Ok(Prepared::None) };
    match rest {
        [None] => Ok(Prepared::None),
        [Some(group)] => super::Wanted::new(pattern, Some(group)).map(|wanted| Prepared::Made(Box::new(wanted))),
        _ => super::Wanted::new(pattern, None).map(|wanted| Prepared::Made(Box::new(wanted))),
    }
}
