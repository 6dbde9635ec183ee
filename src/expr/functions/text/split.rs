//! Text cut into a list.

use super::{Call, Example, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::Value;

pub(in crate::expr::functions) static SPLIT: Function = Function {
    spec: Spec {
        name: "split",
        aliases: &[],
        about: "Cuts a text at each separator; an empty separator cuts between characters.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("separator", Kinds::TEXT, "Where it is cut."),
            Parameter::new("limit", Kinds::INT, "At most so many pieces; negative for all.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::TextList,
        flow: Flow::Carries,
        examples: &[
            Example::ok(r#"split("a,b", ",")"#, r#"["a","b"]"#),
            Example::ok(r#""a,b,c".split(",", 2)"#, r#"["a","b,c"]"#),
            Example::fails(r#"split(1, ",")"#, r#"wants string"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(separator), rest @ ..] = arguments else { return Err(super::misuse()) };
    let limit = match rest {
        [Value::Int(limit)] => usize::try_from(*limit).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let mut list = call.list(0)?;
    let mut rest = *text;
    while list.len() < limit {
        call.spend(size_of::<Value<'_>>())?;
        let cut = if separator.is_empty() {
            rest.chars().next().map(char::len_utf8).filter(|length| *length < rest.len())
        } else {
            rest.find(*separator)
        };
        match cut {
            Some(at) if list.len() + 1 < limit => {
                list.push(Value::String(&rest[..at]));
                rest = &rest[at + separator.len()..];
            }
            _ => {
                if !(separator.is_empty() && rest.is_empty()) {
                    list.push(Value::String(rest));
                }
                break;
            }
        }
    }
    Ok(Value::List(list.into_bump_slice()))
}
