//! What HIPAA safe harbor leaves of a date of birth.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Date, Timestamp, Type, Value};

/// The age from which on people are one group.
const TOP: i32 = 90;

pub(in crate::expr::functions) static SAFE_HARBOR_YEAR: Function = Function {
    spec: Spec {
        name: "safe_harbor_year",
        aliases: &[],
        about: "The year of a date of birth, as text, or `90+` for whoever is over 89 on another day (today in UTC if none is said), since such a year tells the age: HIPAA safe harbor, 45 CFR 164.514(b)(2)(i)(C).",
        parameters: &[
            Parameter::new(
                "birth",
                Kinds::DATE.or(Kinds::TIMESTAMP).or(Kinds::TEXT),
                "A date, a time, or the text of one (`2024-03-31`, RFC 3339).",
            ),
            Parameter::new("on", Kinds::DATE, "The day on which it is asked.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["pii.birth_date"], to: None },
        examples: &[
            Example::ok(r#"safe_harbor_year("1984-04-02", date("2024-01-01"))"#, "1984"),
            Example::ok(r#"safe_harbor_year("1933-12-31", date("2023-12-31"))"#, "90+"),
            Example::ok(r#"safe_harbor_year("1934-01-01", date("2023-12-31"))"#, "1934"),
            Example::fails(r#"safe_harbor_year("2.4.1931")"#, "neither a date nor a time"),
            Example::fails(r#"safe_harbor_year("2030-01-01", date("2024-01-01"))"#, "future"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [birth, rest @ ..] = arguments else { return Err(super::misuse()) };
    let birth = match birth {
        Value::Date(date) => *date,
        Value::Timestamp(time) => time.date_at(time.offset),
        Value::String(text) => match (Date::parse(text), Timestamp::parse_rfc3339(text)) {
            (Some(date), _) => date,
            (None, Some(time)) => time.date_at(time.offset),
            _ => return Err(Failure::value("the text is neither a date nor a time")),
        },
        _ => return Err(super::misuse()),
    };
    let on = if let [Value::Date(on)] = rest { *on } else { call.now.date_at(0) };
    if on < birth {
        return Err(Failure::value("the date of birth lies in the future"));
    }
    let ((year, month, day), today) = (birth.civil(), on.civil());
    let age = today.0 - year - i32::from((today.1, today.2) < (month, day));
    if age >= TOP {
        return Ok(Value::String("90+"));
    }
    use std::fmt::Write as _;
    let mut text = call.text(6)?;
    write!(text, "{year:04}").map_err(|_| Failure::limit())?;
    Ok(Value::String(text.into_bump_str()))
}
