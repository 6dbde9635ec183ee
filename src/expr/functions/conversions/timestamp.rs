//! A moment from text or seconds.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Timestamp, Type, Value};

pub(in crate::expr::functions) static TIMESTAMP: Function = Function {
    spec: Spec {
        name: "timestamp",
        aliases: &[],
        about: "Reads RFC 3339 text with its offset; an int counts seconds since 1970, a date is its midnight in UTC.",
        parameters: &[Parameter::new(
            "x",
            Kinds::TEXT.or(Kinds::INT).or(Kinds::TIMESTAMP).or(Kinds::DATE),
            "The moment.",
        )],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Timestamp),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"timestamp("2024-02-29T12:00:00+02:00")"#, r#"2024-02-29T12:00:00+02:00"#),
            Example::ok(r#"timestamp(0)"#, r#"1970-01-01T00:00:00Z"#),
            Example::fails(r#"timestamp("2024-02-30T00:00:00Z")"#, r#"RFC 3339"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let range = || Failure::number("the moment lies outside of the years 1 to 9999 (range)");
    Ok(Value::Timestamp(match arguments {
        [Value::String(text)] => {
            let moment = Timestamp::parse_rfc3339(text).ok_or_else(|| {
                Failure::value("the text is not a moment in the form of RFC 3339 (2024-02-29T12:00:00Z)")
            })?;
            Timestamp { offset: moment.offset, ..Timestamp::new(moment.seconds, moment.nanos).ok_or_else(range)? }
        }
        [Value::Int(seconds)] => Timestamp::new(*seconds, 0).ok_or_else(range)?,
        [Value::Timestamp(moment)] => *moment,
        [Value::Date(date)] => date.midnight(),
        _ => return Err(super::misuse()),
    }))
}
