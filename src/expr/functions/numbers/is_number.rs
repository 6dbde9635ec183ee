//! Whether a text is a number.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static IS_NUMBER: Function = Function {
    spec: Spec {
        name: "is_number",
        aliases: &[],
        about: "Whether a text is a number in a style: one that `parse_number` reads.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text."), Parameter::new("style", Kinds::TEXT, "How it is written: a language such as `de` or `en`, or the marks themselves, such as `,.`; `plain` (digits and a point) if not said.").optional()],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Bool),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"is_number("12.50")"#, r#"true"#),
            Example::ok(r#"is_number("12,50")"#, r#"false"#),
            Example::ok(r#"is_number("1.234,5", "de")"#, r#"true"#),
            Example::fails(r#"is_number("1", "xx")"#, r#"no style"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let style = super::style_of(call, rest.first(), "plain")?;
    Ok(Value::Bool(style.read(text).is_ok()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_style(constants, 1)
}
