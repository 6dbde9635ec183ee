//! A date from text in a pattern.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::reading::Pattern;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static PARSE_DATE: Function = Function {
    spec: Spec {
        name: "parse_date",
        aliases: &[],
        about: "Reads a date by a pattern: `d/m/y`, `%d.%m.%Y`, or a name: iso, basic, us, gb, fr, de, nl, rfc2822, http. With `any` a text that could be day or month first is an error.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("pattern", Kinds::TEXT, "The pattern."),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Date),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"parse_date("31.03.2024", "de")"#, r#"2024-03-31"#),
            Example::ok(r#"parse_date("3/4/2024", "d/m/y")"#, r#"2024-04-03"#),
            Example::ok(r#"parse_date("4 March 2024", "any")"#, r#"2024-03-04"#),
            Example::fails(r#"parse_date("3/4/2024", "any")"#, r#"two readings"#),
            Example::fails(r#"parse_date("31/04/2024", "d/m/y")"#, r#"no such day"#),
            Example::fails(r#"parse_date("x", "yy")"#, r#"no pattern"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern)] = arguments else { return Err(super::misuse()) };
    let held;
    let pattern = match super::made(call.prepared) {
        Some(pattern) => pattern,
        None => {
            held = Pattern::parse(pattern, false).map_err(Failure::value)?;
            &held
        }
    };
    pattern.date(text).map(Value::Date).map_err(|unread| Failure::value(unread.cause()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(1) {
        Some(Some(Value::String(pattern))) => {
            Ok(Prepared::Made(Box::new(Pattern::parse(pattern, false).map_err(Failure::value)?)))
        }
        _ => Ok(Prepared::None),
    }
}
