//! Whether a text is a telephone number.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::contact;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_PHONE: Function = Function {
    spec: Spec {
        name: "is_phone",
        aliases: &[],
        about: "Whether `normalize_phone` makes a number of a text.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new(
                "country",
                Kinds::TEXT,
                "Where a number without country code belongs: a code or name as in `country`.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Declassifies,
        examples: &[
            Example::ok(r#"is_phone("030 901820", "DE")"#, "true"),
            Example::ok(r#"is_phone("030 901820")"#, "false"),
            Example::ok(r#"is_phone("12", "DE")"#, "false"),
            Example::fails(r#"is_phone("1", "Atlantis")"#, "no country"),
        ],
    },
    prepare: Some(contact::prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    Ok(Value::Bool(contact::phone(text, contact::plan(rest.first(), call)?).is_some()))
}
