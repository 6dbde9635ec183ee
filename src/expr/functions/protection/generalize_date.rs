//! The year of a date.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Date, Timestamp, Type, Value};

pub(in crate::expr::functions) static GENERALIZE_DATE: Function = Function {
    spec: Spec {
        name: "generalize_date",
        aliases: &[],
        about: "The year of a date or time and nothing else of it: what is left of a date of birth by HIPAA safe harbor. It still tells an age: over 89 years a group is asked for (`generalize_number`).",
        parameters: &[Parameter::new(
            "x",
            Kinds::DATE.or(Kinds::TIMESTAMP).or(Kinds::TEXT),
            "A date, a time, or the text of one (`2024-03-31`, RFC 3339).",
        )],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Int),
        flow: Flow::Protects { from: &["pii.birth_date"], to: Some("pii.age") },
        examples: &[
            Example::ok(r#"generalize_date("1931-04-02")"#, "1931"),
            Example::ok(r#"generalize_date(timestamp("2024-12-31T23:30:00-05:00"))"#, "2024"),
            Example::fails(r#"generalize_date("2.4.1931")"#, "neither a date nor a time"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let date = match arguments {
        [Value::Date(date)] => *date,
        [Value::Timestamp(time)] => time.date_at(time.offset),
        [Value::String(text)] => match (Date::parse(text), Timestamp::parse_rfc3339(text)) {
            (Some(date), _) => date,
            (None, Some(time)) => time.date_at(time.offset),
            _ => return Err(Failure::value("the text is neither a date nor a time")),
        },
        _ => return Err(super::misuse()),
    };
    Ok(Value::Int(i64::from(date.civil().0)))
}
