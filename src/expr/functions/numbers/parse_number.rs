//! A number from text as people write it.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::style::{Style, Unread};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static PARSE_NUMBER: Function = Function {
    spec: Spec {
        name: "parse_number",
        aliases: &[],
        about: "Reads a number with a decimal comma or point and marks between thousands; with `any` (if no style is said) a text that has two readings, such as `1.234`, is an error.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text."), Parameter::new("style", Kinds::TEXT, "How it is written: a language such as `de` or `en`, or the marks themselves, such as `,.`; `any` where only one reading makes sense.").optional()],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"parse_number("1.234,56", "de")"#, r#"1234.56"#),
            Example::ok(r#"parse_number("1,234.50")"#, r#"1234.50"#),
            Example::ok(r#"parse_number("1'234.05-", "ch")"#, r#"-1234.05"#),
            Example::ok(r#"parse_number("12;50", ";")"#, r#"12.50"#),
            Example::fails(r#"parse_number("1.234")"#, r#"two readings"#),
            Example::fails(r#"parse_number("1,23", "en")"#, r#"not in the form"#),
            Example::fails(r#"parse_number("1", "xx")"#, r#"no style"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let style = match (super::made::<Option<Style>>(call.prepared), rest) {
        (Some(style), _) => *style,
        (None, [Value::String(name)]) => named(name)?,
        _ => None,
    };
    let read = match style {
        Some(style) => style.read(text),
        None => Style::read_any(text),
    };
    read.map(Value::Decimal).map_err(|unread| match unread {
        Unread::Form => Failure::value("the text is not in the form of a number in this style"),
        Unread::Ambiguous => Failure::value("the text has two readings: name a style, such as `en` or `de`"),
        Unread::Long => Failure::number("the number has more than 28 digits"),
    })
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    match constants.get(1) {
        Some(Some(Value::String(name))) => Ok(Prepared::Made(Box::new(named(name)?))),
        _ => Ok(Prepared::None),
    }
}

/// The style; none for `any`.
fn named(name: &str) -> Result<Option<Style>, Failure> {
    if name == "any" { Ok(None) } else { super::style_named(name).map(Some) }
}
