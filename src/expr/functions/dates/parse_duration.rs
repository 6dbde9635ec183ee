//! A span from text of ISO 8601.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::decimal::Rounding;
use crate::record::{Decimal, Duration, Type, Value};

pub(in crate::expr::functions) static PARSE_DURATION: Function = Function {
    spec: Spec {
        name: "parse_duration",
        aliases: &[],
        about: "Reads a span such as `PT1H30M` or `P2DT12H`; a day has 24 hours, a week seven days, and years and months are an error, for they have no fixed length.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Duration),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"parse_duration("PT1H30M")"#, r#"5400s"#),
            Example::ok(r#"parse_duration("-P1DT0.5S")"#, r#"-86400.5s"#),
            Example::fails(r#"parse_duration("P1M")"#, r#"fixed length"#),
            Example::fails(r#"parse_duration("1h")"#, r#"PT1H30M"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let wrong = || Failure::value("the text is not a span in the form of ISO 8601 (PT1H30M)");
    let (sign, rest) = text.strip_prefix('-').map_or((1, *text), |rest| (-1, rest));
    let mut rest = rest.strip_prefix('P').ok_or_else(wrong)?;
    let (mut total, mut clock, mut last) = (0_i128, false, 0);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            if clock || after.is_empty() {
                return Err(wrong());
            }
            (clock, rest) = (true, after);
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').ok_or_else(wrong)?;
        let number = Decimal::parse(&rest[..end].replace(',', ".")).map_err(|_| wrong())?;
        let unit = rest[end..].chars().next().ok_or_else(wrong)?;
        rest = &rest[end + unit.len_utf8()..];
        let (order, seconds) = match (unit, clock) {
            ('W', false) => (1, 604_800),
            ('D', false) => (2, 86_400),
            ('H', true) => (3, 3600),
            ('M', true) => (4, 60),
            ('S', true) => (5, 1),
            ('Y' | 'M', false) => return Err(Failure::value("years and months have no fixed length")),
            _ => return Err(wrong()),
        };
        if order <= last {
            return Err(wrong());
        }
        last = order;
        let nanos = number.mul(Decimal::from_i64(seconds * 1_000_000_000))?.round(0, Rounding::Down)?;
        total += nanos.mantissa();
    }
    if last == 0 {
        return Err(wrong());
    }
    Duration::from_nanos(sign * total).map(Value::Duration).ok_or_else(super::out_of_range)
}
