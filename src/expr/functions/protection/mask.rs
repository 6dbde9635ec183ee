//! Text of which only the last characters show.

use super::{Call, Example, Failure, Flow, Function, Kinds, Outcome, Parameter, Returns, Spec};
use crate::record::{Type, Value};

pub(in crate::expr::functions) static MASK: Function = Function {
    spec: Spec {
        name: "mask",
        aliases: &[],
        about: "Replaces all but the last characters (none if not said) by `*`. At most a third of the text is kept, and at most four characters.",
        parameters: &[
            Parameter::new("text", Kinds::TEXT, "The text."),
            Parameter::new("keep", Kinds::INT, "Characters that stay, 0 to 4.").optional(),
        ],
        variadic: false,
        method: true,
        returns: Returns::Fixed(Type::String),
        flow: Flow::Protects {
            from: &["pci.pan", "financial.account", "financial.iban", "pii.contact.phone", "pii.id", "pii.name"],
            to: None,
        },
        examples: &[
            Example::ok(r#"mask("4111111111111111", 4)"#, r#"************1111"#),
            Example::ok(r#"mask("abc", 4)"#, r#"**c"#),
            Example::fails(r#"mask("abc", 9)"#, r#"0 to 4"#),
        ],
    },
    prepare: None,
    call,
};

fn call<'a>(call: &Call<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), rest @ ..] = arguments else { return Err(super::misuse()) };
    let keep = match rest {
        [Value::Int(keep @ 0..=4)] => *keep as usize,
        [_] => return Err(Failure::value("characters to keep are 0 to 4")),
        _ => 0,
    };
    let count = text.chars().count();
    let stars = count - keep.min(count / 3);
    let mut out = call.text(stars + text.len())?;
    for (index, character) in text.chars().enumerate() {
        out.push(if index < stars { '*' } else { character });
    }
    Ok(Value::String(out.into_bump_str()))
}
