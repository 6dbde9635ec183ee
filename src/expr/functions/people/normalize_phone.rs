//! A telephone number in the form in which it compares.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::contact;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static NORMALIZE_PHONE: Function = Function {
    spec: Spec {
        name: "normalize_phone",
        aliases: &[],
        about: "A telephone number in the form of ITU-T E.164: `+`, country code, number, at most 15 digits. Spaces, brackets, points and hyphens go, so do the prefixes for calls abroad and within the country. Length and prefixes are looked at, not whether a number is given out; an extension (`ext. 12`, `x12`) is an error.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The number."),
            Parameter::new(
                "country",
                Kinds::TEXT,
                "Where a number without country code belongs: a code or name as in `country`.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"normalize_phone("(030) 90 18-20", "DE")"#, "+4930901820"),
            Example::ok(r#"normalize_phone("+49 (0)30 901820")"#, "+4930901820"),
            Example::ok(r#"normalize_phone("0049 30 901820", "FR")"#, "+4930901820"),
            Example::ok(r#"normalize_phone("(212) 555-0142", "US")"#, "+12125550142"),
            Example::ok(r#"normalize_phone("06 698 12345", "IT")"#, "+390669812345"),
            Example::fails(r#"normalize_phone("030 901820")"#, "say its country"),
            Example::fails(r#"normalize_phone("555-0142", "US")"#, "no telephone number"),
        ],
    },
    prepare: Some(contact::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let plan = contact::plan(rest.first(), call)?;
    let Some(number) = contact::phone(text, plan) else {
        return Err(Failure::value(match plan {
            None => "the text is no telephone number with `+` and country code: say its country",
            Some(_) => "the text is no telephone number of that country, nor one with `+` and country code",
        }));
    };
    let mut out = call.text(16)?;
    out.push('+');
    out.extend(number.iter().map(|digit| char::from(*digit)));
    Ok(Value::String(out.into_bump_str()))
}
