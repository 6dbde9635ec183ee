//! A span as text of ISO 8601.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};
use std::fmt::Write;

pub(in crate::expr::functions) static FORMAT_DURATION: Function = Function {
    spec: Spec {
        name: "format_duration",
        aliases: &[],
        about: "Writes a span in days, hours, minutes and seconds: `P1DT1H30M`.",
        parameters: &[Parameter::new("span", Kinds::DURATION, "The span.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"format_duration(duration("25h30m"))"#, r#"P1DT1H30M"#),
            Example::ok(r#"format_duration(duration("-1.5s"))"#, r#"-PT1.5S"#),
            Example::fails(r#"format_duration(5)"#, r#"wants duration"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Duration(span)] = arguments else { return Err(super::misuse()) };
    let seconds = span.seconds.unsigned_abs();
    let nanos = span.nanos.unsigned_abs();
    let mut out = call.text(48)?;
    // Writing to a String cannot fail.
    let _ = write!(out, "{}P", if span.total() < 0 { "-" } else { "" });
    if seconds >= 86_400 {
        let _ = write!(out, "{}D", seconds / 86_400);
    }
    let rest = seconds % 86_400;
    if rest > 0 || nanos > 0 || seconds == 0 {
        out.push('T');
    }
    for (unit, amount) in [('H', rest / 3600), ('M', rest / 60 % 60)] {
        if amount > 0 {
            let _ = write!(out, "{amount}{unit}");
        }
    }
    if rest % 60 > 0 || nanos > 0 || seconds == 0 {
        let _ = write!(out, "{}", rest % 60);
        if nanos > 0 {
            let digits = format!("{nanos:09}");
            let _ = write!(out, ".{}", digits.trim_end_matches('0'));
        }
        out.push('S');
    }
    Ok(Value::String(out.into_bump_str()))
}
