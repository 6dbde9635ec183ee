//! The moment of a date and a time of day.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::reading::Unread;
use crate::expr::zone::Gap;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static AT_TIME: Function = Function {
    spec: Spec {
        name: "at_time",
        aliases: &[],
        about: "The moment of a date at a time of day in a zone; where clocks are put back, the first of both.",
        parameters: &[
            Parameter::new("date", Kinds::DATE, "The date."),
            Parameter::new("clock", Kinds::TEXT, "`08:30` or `08:30:15`."),
            Parameter::new(
                "zone",
                Kinds::TEXT,
                "`UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.",
            ),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Timestamp),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"at_time(date("2024-07-01"), "08:30", "Europe/Berlin")"#, r#"2024-07-01T08:30:00+02:00"#),
            Example::fails(r#"at_time(date("2024-07-01"), "25:00", "UTC")"#, r#"08:30"#),
            Example::fails(r#"at_time(date("2024-03-31"), "02:30", "Europe/Berlin")"#, r#"put forward"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::Date(date), Value::String(clock), rest @ ..] = arguments else { return Err(super::misuse()) };
    let zone = super::zone_of(call, rest.first())?.ok_or_else(super::misuse)?;
    let second = second_of(clock).ok_or_else(|| Failure::value("the time of day is in the form 08:30 or 08:30:15"))?;
    zone.moment(*date, second, 0).map(Value::Timestamp).map_err(|gap| match gap {
        Gap::Skipped(_) => Failure::value(Unread::Gap.cause()),
        Gap::Range => super::out_of_range(),
    })
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_zone_at(constants, 2)
}

fn second_of(clock: &str) -> Option<u32> {
    let mut second = 0;
    let mut fields = clock.split(':');
    for (unit, most) in [(3600, 23), (60, 59), (1, 59)] {
        let Some(field) = fields.next() else { return (unit == 1).then_some(second) };
        let fits = matches!(field.len(), 1 | 2) && field.bytes().all(|b| b.is_ascii_digit());
        let number: u32 = field.parse().ok().filter(|number| fits && *number <= most)?;
        second += number * unit;
    }
    fields.next().is_none().then_some(second)
}
