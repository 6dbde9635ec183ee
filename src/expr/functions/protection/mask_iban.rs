//! An account number of which country and last digits show.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::expr::functions::checks;
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MASK_IBAN: Function = Function {
    spec: Spec {
        name: "mask_iban",
        aliases: &[],
        about: "Keeps the country and the last four characters of an IBAN: `GB***6819`. Other text becomes `***`.",
        parameters: &[Parameter::new("text", Kinds::TEXT, "The IBAN.")],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects { from: &["financial.iban", "financial.account"], to: None },
        examples: &[
            Example::ok(r#"mask_iban("GB29 NWBK 6016 1331 9268 19")"#, "GB***6819"),
            Example::ok(r#"mask_iban("12345678")"#, "***"),
            Example::fails("mask_iban(1)", "wants string"),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text)] = arguments else { return Err(super::misuse()) };
    if !checks::iban(text) {
        return Ok(Value::String("***"));
    }
    let plain: Vec<char> = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    let mut out = call.text(9)?;
    out.extend(plain.iter().take(2));
    out.push_str("***");
    out.extend(plain.iter().skip(plain.len().saturating_sub(4)));
    Ok(Value::String(out.into_bump_str()))
}
