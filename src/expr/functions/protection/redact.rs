//! Text without what looks like personal data.

use regex::{Captures, Regex};
use std::sync::LazyLock;

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static REDACT: Function = Function {
    spec: Spec {
        name: "redact",
        aliases: &[],
        about: "Replaces what looks like personal data in text by its kind in brackets: `[email]`. Its classes stay: nobody can promise that all of it was found. Card numbers are what `mask_pan` finds.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The text."),
Parameter::new("kind", Kinds::TEXT, "`email`, `phone` (international, with `+`), `iban`, `pan`, `ssn` (US) or `ip`; all of them if not said.").optional(),],
        variadic: true,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Carries,
        examples: &[Example::ok(r#"redact("write to anna@b.example or call +49 30 901820", "email", "phone")"#, "write to [email] or call [phone]"),
Example::ok(r#"redact("4111 1111 1111 1111 from 203.0.113.77")"#, "[pan] from [ip]"),
Example::ok(r#"redact("SSN 078-05-1120, GB29NWBK60161331926819")"#, "SSN [ssn], [iban]"),
Example::fails(r#"redact("a", "name")"#, "`email`, `phone`"),],
    },
    prepare: Some(prepare),
    call,
};

/// Kinds in the order in which they are looked for: what is told more surely first.
static KINDS: LazyLock<[(&str, Option<Regex>); 6]> = LazyLock::new(|| {
    let pattern = |text| Regex::new(text).ok();
    [
        (
            "email",
            pattern(
                r"(?i)[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+",
            ),
        ),
        ("iban", pattern(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")),
        ("pan", pattern(r"\b[0-9](?:[ -]?[0-9]){12,18}\b")),
        ("ssn", pattern(r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b")),
        ("ip", pattern(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b|\b(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}\b")),
        ("phone", pattern(r"\+[0-9](?:[ ()./-]{0,2}[0-9]){6,14}\b")),
    ]
});

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), kinds @ ..] = arguments else { return Err(super::misuse()) };
    for kind in kinds {
        known(kind)?;
    }
    let wanted =
        |name: &str| kinds.is_empty() || kinds.iter().any(|kind| matches!(kind, Value::String(kind) if *kind == name));
    let mut text = std::borrow::Cow::Borrowed(*text);
    for (name, pattern) in KINDS.iter().filter(|(name, _)| wanted(name)) {
        let Some(pattern) = pattern else { continue };
        let replaced = pattern.replace_all(&text, |found: &Captures<'_>| {
            let found = found.get(0).map_or("", |found| found.as_str());
            let sure = match *name {
                "iban" => checks::iban(found),
                "pan" => checks::luhn(found),
                "ip" => found.parse::<std::net::IpAddr>().is_ok(),
                _ => true,
            };
            if sure { format!("[{name}]") } else { found.to_string() }
        });
        if let std::borrow::Cow::Owned(replaced) = replaced {
            call.spend(replaced.len())?;
            text = replaced.into();
        }
    }
    match text {
        std::borrow::Cow::Borrowed(same) => Ok(Value::String(same)),
        std::borrow::Cow::Owned(made) => Ok(Value::String(call.arena.alloc_str(&made))),
    }
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    constants.iter().skip(1).flatten().try_for_each(known)?;
    Ok(Prepared::None)
}

fn known(kind: &Value<'_>) -> Result<(), Failure> {
    match kind {
        Value::String(kind) if KINDS.iter().any(|(name, _)| name == kind) => Ok(()),
        _ => Err(Failure::value("the kinds are `email`, `phone`, `iban`, `pan`, `ssn` and `ip`")),
    }
}
