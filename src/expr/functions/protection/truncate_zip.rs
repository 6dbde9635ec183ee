//! The first three digits of a US ZIP code.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static TRUNCATE_ZIP: Function = Function {
    spec: Spec {
        name: "truncate_zip",
        aliases: &[],
        about: "The first three digits of a US ZIP code, or `000` where fewer than 20,001 people live in all places that share them: HIPAA safe harbor, 45 CFR 164.514(b)(2)(i)(B).",
        parameters: &[Parameter::new("text", Kinds::TEXT, "A ZIP code of 5 digits, or 5 and 4.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["pii.contact.address"], to: Some("pii.location") },
        examples: &[
            Example::ok(r#"truncate_zip("90210-1234")"#, "902"),
            Example::ok(r#"truncate_zip("03601")"#, "000"),
            Example::fails(r#"truncate_zip("1234")"#, "no ZIP code"),
        ],
    },
    prepare: None,
    call,
};

/// What begins with these has 20,000 inhabitants or fewer: by the census of 2000, as the guidance of
/// the Office for Civil Rights on de-identification lists them, and by that of 2010 (Bureau of the
/// Census, ZIP code tabulation areas). What stands in either list is hidden.
const SMALL: &[&str] = &[
    "036", "059", "063", "102", "202", "203", "204", "205", "369", "556", "692", "753", "772", "790", "821", "823",
    "830", "831", "878", "879", "884", "890", "893",
];

fn call<'a>(_: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    let text = text.trim();
    let digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = match text.split_once('-') {
        Some((five, four)) => digits(five, 5) && digits(four, 4),
        None => digits(text, 5) || digits(text, 9),
    };
    if !whole {
        return Err(Failure::value("the text is no ZIP code of 5 digits, or 5 and 4"));
    }
    let first = text.get(..3).unwrap_or_default();
    Ok(Value::String(if SMALL.contains(&first) { "000" } else { first }))
}
