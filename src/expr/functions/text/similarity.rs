//! How alike two texts are.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Decimal, Type, Value};

pub(in crate::expr::functions) static SIMILARITY: Function = Function {
    spec: Spec {
        name: "similarity",
        aliases: &[],
        about: "How alike two texts are, from 0 to 1 with four places: for matching names. Upper and lower case differ.",
        parameters: &[
            Parameter::new("a", Kinds::TEXT, "One text, at most 1,000 characters."),
            Parameter::new("b", Kinds::TEXT, "The other."),
            Parameter::new(
                "method",
                Kinds::TEXT,
                "`jaro_winkler` (the default: short names) or `levenshtein` (edits by length).",
            )
            .optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::Decimal),
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"similarity("martha", "marhta")"#, r#"0.9611"#),
            Example::ok(r#"similarity("kitten", "sitting", "levenshtein")"#, r#"0.5714"#),
            Example::ok(r#"similarity("", "")"#, r#"1.0000"#),
            Example::fails(r#"similarity("a", "b", "soundex")"#, r#"jaro_winkler"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(a), Value::String(b), rest @ ..] = arguments else { return Err(super::misuse()) };
    let method = if let [Value::String(method)] = rest { method } else { "jaro_winkler" };
    super::comparable(call, a, b)?;
    let likeness = match method {
        "jaro_winkler" => strsim::jaro_winkler(a, b),
        "levenshtein" => strsim::normalized_levenshtein(a, b),
        _ => return Err(Failure::value("the method is jaro_winkler or levenshtein")),
    };
    // Four places of a number between 0 and 1 are well within what a double holds.
    Ok(Value::Decimal(Decimal::new((likeness * 10_000.0).round() as i128, 4)?))
}
