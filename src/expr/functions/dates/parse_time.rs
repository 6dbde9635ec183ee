//! A moment from text in a pattern.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::reading::Pattern;
use crate::expr::zone::Zone;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static PARSE_TIME: Function = Function {
    spec: Spec {
        name: "parse_time",
        aliases: &[],
        about: "Reads a moment by a pattern: `d/m/y H:M`, `%d.%m.%Y %H:%M`, or a name: iso, basic, us, gb, fr, de, nl, rfc2822, http. A text without an offset from UTC is an error until a zone is named; where clocks are put back, the first of both moments is meant.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("pattern", Kinds::TEXT, "The pattern."),
            Parameter::new(
                "zone",
                Kinds::TEXT,
                "`UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Timestamp),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"parse_time("31.03.2024 12:00", "de", "Europe/Berlin")"#, r#"2024-03-31T12:00:00+02:00"#),
            Example::ok(r#"parse_time("Sun, 06 Nov 1994 08:49:37 GMT", "http")"#, r#"1994-11-06T08:49:37Z"#),
            Example::fails(r#"parse_time("2024-03-31T12:00:00", "iso")"#, r#"name the time zone"#),
            Example::fails(r#"parse_time("3/4/2024 1:00 PM", "us")"#, r#"name the time zone"#),
            Example::fails(r#"parse_time("2024-03-31T02:30:00", "iso", "Europe/Berlin")"#, r#"put forward"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern), rest @ ..] = arguments else { return Err(super::misuse()) };
    let held;
    let (pattern, zone) = match super::made::<(Pattern, Option<Zone>)>(call.prepared) {
        Some(made) => (&made.0, made.1.clone()),
        None => {
            held = Pattern::parse(pattern, true).map_err(Failure::value)?;
            (&held, None)
        }
    };
    let zone = match (zone, rest) {
        (None, [Value::String(name)]) => Some(super::zone_named(name)?),
        (zone, _) => zone,
    };
    pattern.moment(text, zone.as_ref()).map(Value::Timestamp).map_err(|unread| Failure::value(unread.cause()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    let zone = match constants.get(2) {
        Some(Some(Value::String(name))) => Some(super::zone_named(name)?),
        _ => None,
    };
    let Some(Some(Value::String(pattern))) = constants.get(1) else { return Ok(Prepared::None) };
    let pattern = Pattern::parse(pattern, true).map_err(Failure::value)?;
    if constants.len() < 3 && !pattern.says_offset() {
        return Err(Failure::value("the pattern has no offset from UTC: name the time zone it is meant in"));
    }
    Ok(Prepared::Made(Box::new((pattern, zone))))
}
