//! A moment or date as text.

use std::borrow::Cow;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::reading;
use crate::expr::zone::{self, Zone};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static FORMAT_TIME: Function = Function {
    spec: Spec {
        name: "format_time",
        aliases: &[],
        about: "Writes a moment or date in a format such as `%Y-%m-%d %H:%M:%S`, or by a name: iso, basic, us, gb, fr, de, nl, rfc2822, http; a moment as it is in the time zone, or in its own offset if none is said.",
        parameters: &[
            Parameter::new("time", Kinds::TIMESTAMP.or(Kinds::DATE), "The moment or date."),
            Parameter::new("format", Kinds::TEXT, "The format."),
            Parameter::new(
                "zone",
                Kinds::TEXT,
                "`UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[
            Example::ok(
                r#"format_time(timestamp("2024-03-31T01:30:00Z"), "%Y-%m-%d %H:%M", "Europe/Berlin")"#,
                r#"2024-03-31 03:30"#,
            ),
            Example::ok(r#"format_time(date("2024-02-29"), "%d.%m.%Y")"#, r#"29.02.2024"#),
            Example::ok(r#"format_time(date("2024-02-29"), "d/m/y")"#, r#"29/02/2024"#),
            Example::ok(r#"format_time(date("2024-02-29"), "us")"#, r#"02/29/2024"#),
            Example::ok(r#"format_time(timestamp(784111777), "http")"#, r#"Sun, 06 Nov 1994 08:49:37 GMT"#),
            Example::fails(r#"format_time(timestamp(0), "%Q")"#, r#"%Q"#),
            Example::fails(r#"format_time(timestamp(0), "%Y", "Mars/Base")"#, r#"time zone"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (time, rest) = match arguments {
        [time, rest @ ..] => (time, rest),
        [] => return Err(super::misuse()),
    };
    let (moment, is_date) = match time {
        Value::Timestamp(moment) => (*moment, false),
        Value::Date(date) => (date.midnight(), true),
        _ => return Err(super::misuse()),
    };
    let own = || if is_date { Zone::Fixed(0) } else { Zone::Fixed(moment.offset) };
    let format = if let [Value::String(format), ..] = rest { format } else { "" };
    let named = if format.starts_with('%') { None } else { reading::written(format, !is_date) };
    let asked = match (call.prepared, rest) {
        _ if named.is_some_and(|(_, utc)| utc) => Some(0),
        (Prepared::Format(_, Some(zone)), _) if !is_date => Some(zone.offset(moment)),
        (_, [_, Value::String(name)]) if !is_date => Some(super::zone_named(name)?.offset(moment)),
        _ => None,
    };
    let offset = asked.unwrap_or_else(|| own().offset(moment));
    let held;
    let pieces = match (call.prepared, rest) {
        (Prepared::Format(pieces, _), _) if named.is_none() => pieces,
        _ => {
            held = pieces_of(named.map_or(format, |(format, _)| format))?;
            &held
        }
    };
    if let [zone::Piece::IsoDate] = pieces.as_slice() {
        let text = call.arena.alloc(moment.date_at(offset).text());
        return Ok(Value::String(std::str::from_utf8(text).unwrap_or_default()));
    }
    let mut out = call.text(zone::longest(pieces))?;
    zone::write_format(moment, offset, pieces, &mut out);
    Ok(Value::String(out.into_bump_str()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    let zone = match constants.get(2) {
        Some(Some(Value::String(name))) => Some(super::zone_named(name)?),
        _ => None,
    };
    match constants.get(1) {
        // What a name stands for depends on whether a date or a moment is written: with both it is looked up then.
        Some(Some(Value::String(format))) => Ok(Prepared::Format(pieces_of(format)?, zone)),
        _ => Ok(Prepared::None),
    }
}

fn pieces_of(format: &str) -> Result<Vec<zone::Piece>, Failure> {
    let format = match reading::written(format, true) {
        Some((named, _)) => Cow::Borrowed(named),
        None if format.contains('%') => Cow::Borrowed(format),
        None => reading::letters(format)
            .map(Cow::Owned)
            .ok_or_else(|| Failure::value("no format of that name: write `d/m/y`, `%d/%m/%Y` or a name such as iso"))?,
    };
    zone::parse_format(&format).map_err(|part| Failure::value(format!("the format has no part {part}")))
}
