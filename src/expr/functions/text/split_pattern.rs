//! Text cut at each match of a pattern.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Prepared, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static SPLIT_PATTERN: Function = Function {
    spec: Spec {
        name: "split_pattern",
        aliases: &[],
        about: "Cuts a text wherever a regular expression matches.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("pattern", Kinds::TEXT, "The pattern."),
            Parameter::new("limit", Kinds::INT, "At most so many pieces; negative for all.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::TextList,
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"split_pattern("a, b;c", "[,;] *")"#, r#"["a","b","c"]"#),
            Example::ok(r#""a1b2c".split_pattern("[0-9]", 2)"#, r#"["a","b2c"]"#),
            Example::fails(r#"split_pattern("a", "[")"#, r#"pattern"#),
        ],
    },
    prepare: Some(prepare),
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern), rest @ ..] = arguments else { return Err(super::misuse()) };
    let limit = match rest {
        [Value::Int(limit)] => usize::try_from(*limit).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let made;
    let pattern = match call.prepared {
        Prepared::Pattern(pattern) => pattern,
        _ => {
            made = super::pattern_of(pattern)?;
            &made
        }
    };
    let mut list = call.list(0)?;
    for piece in pattern.splitn(text, limit) {
        call.spend(size_of::<Value<'_>>())?;
        list.push(Value::String(piece));
    }
    Ok(Value::List(list.into_bump_slice()))
}

fn prepare(constants: &[Option<Value<'_>>]) -> Result<Prepared, Failure> {
    super::prepare_pattern(constants)
}
